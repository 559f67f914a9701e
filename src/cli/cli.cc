#include "cli/cli.h"

#include <algorithm>
#include <array>
#include <iostream>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/strings.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "types/json.h"

namespace vettore {
namespace {

// In the order in which the help lists them.
constexpr std::array kCommands = {
    AddServeCommand,  AddIngestCommand, AddSearchCommand, AddCollectionCommands, AddEmbedCommand,
    AddImportCommand, AddExportCommand, AddStatusCommand, AddVerifyCommand,      AddBenchCommands};

// Levenshtein's distance (1966): insertions, deletions and replacements of bytes.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t k = 0; k < b.size(); ++k) {
      const size_t replaced = diagonal + (a[i] == b[k] ? 0 : 1);
      diagonal = row[k + 1];
      row[k + 1] = std::min({replaced, row[k] + 1, row[k + 1] + 1});
    }
  }
  return row.back();
}

// The command that a mistyped word probably means.
std::optional<std::string> NearestCommand(const CLI::App& app, const std::string& word) {
  std::optional<std::string> nearest;
  size_t best = std::max<size_t>(2, word.size() / 2);
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    const std::string name = command->get_name();
    const size_t distance = name.starts_with(word) ? 1 : EditDistance(word, name);
    if (distance <= best && (!nearest || distance < best)) {
      best = distance;
      nearest = name;
    }
  }
  return nearest;
}

// The innermost command that the words chose so far.
const CLI::App* ChosenApp(const CLI::App& app) {
  const CLI::App* chosen = &app;
  while (!chosen->get_subcommands().empty()) chosen = chosen->get_subcommands().front();
  return chosen;
}

std::string ExplainParseError(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* chosen = ChosenApp(app);
  std::string path = "vettore";
  for (const CLI::App* at = &app; at != chosen;) {
    at = at->get_subcommands().front();
    StrAppend(&path, " ", at->get_name());
  }
  const bool groups = !chosen->get_subcommands([](const CLI::App*) { return true; }).empty();
  std::vector<std::string> words = chosen->remaining();
  if (words.empty()) words = app.remaining();
  for (const std::string& word : words) {
    if (!groups || word.starts_with("-")) continue;
    const std::optional<std::string> nearest = NearestCommand(*chosen, word);
    return StrCat("there is no command '", word, "'",
                  nearest ? StrCat("; did you mean '", path, " ", *nearest, "'?") : "; ",
                  nearest ? "" : path, nearest ? "" : " --help lists the commands");
  }
  if (groups && words.empty()) return StrCat("a command is wanted; ", path, " --help lists them");
  return StrCat(error.what(), "; ", path, " --help explains the options");
}

bool WantsJson(int argc, char** argv) {
  return std::any_of(argv, argv + argc, [](std::string_view word) { return word == "--json"; });
}

}  // namespace

int RunCli(int argc, char** argv) {
  CommandLine line;
  for (const auto add : kCommands) add(line);
  try {
    line.app().parse(argc, argv);
  } catch (const CLI::Success& success) {
    return line.app().exit(success);  // --help, --version
  } catch (const CLI::ParseError& error) {
    PrintError(UsageError(ExplainParseError(line.app(), error)), WantsJson(argc, argv));
    return 2;
  }
  const absl::Status status = line.RunChosen();
  std::cout.flush();
  if (status.ok() && !std::cout.good()) {
    PrintError(absl::DataLossError("standard output could not be written"), line.globals().json);
    return 1;
  }
  if (!status.ok()) PrintError(status, line.globals().json);
  return ExitCodeOf(status);
}

}  // namespace vettore
