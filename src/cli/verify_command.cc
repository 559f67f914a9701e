// `vettore verify`.
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "engine/verification.h"
#include "server/settings.h"

namespace vettore {
namespace {

struct VerifyFlags {
  std::vector<std::string> collections;
  std::optional<std::string> data_dir;
  std::optional<std::string> config;
};

absl::StatusOr<std::string> DataDirectoryOf(const VerifyFlags& flags) {
  SettingSources sources;
  sources.file = flags.config;
  if (flags.data_dir) sources.flags.emplace_back("data_dir", *flags.data_dir);
  const absl::StatusOr<ServerOptions> options = LoadServerOptions(sources);
  if (options.ok()) return options->data_dir;
  if (!absl::IsInvalidArgument(options.status())) return options.status();
  return UsageError(StdView(options.status().message()));
}

std::string_view StateOf(const VerifiedIndex& index) {
  if (!index.file) return "no file";
  return index.report.is_sound() ? "sound" : "unsound";
}

Json IndexJson(const VerifiedIndex& index) {
  Json json = {{"collection", index.collection},
               {"vector", index.vector},
               {"shard", index.shard},
               {"kind", KindOf(index.kind)},
               {"state", index.file ? StateOf(index) : "none"},
               {"measures", Json::object()},
               {"findings", Json::array()}};
  if (!index.file) return json;
  json["file"] = index.file->string();
  json["covered"] = {{"epoch", index.covered.epoch}, {"seq", index.covered.seq}};
  for (const IndexMeasure& measure : index.report.measures()) {
    json["measures"][std::string(measure.name)] = measure.value;
  }
  for (const IndexFinding& finding : index.report.findings()) {
    json["findings"].push_back(
        {{"fault", finding.fault}, {"count", finding.count}, {"first", finding.first}});
  }
  return json;
}

Json VerificationJson(const std::string& data_dir, const Verification& verification) {
  Json json = {{"data_dir", data_dir},
               {"sound", verification.is_sound()},
               {"indexes", Json::array()},
               {"damaged_collections", Json::array()}};
  for (const VerifiedIndex& index : verification.indexes) {
    json["indexes"].push_back(IndexJson(index));
  }
  for (const auto& [name, reason] : verification.damaged) {
    json["damaged_collections"].push_back(
        {{"collection", name}, {"reason", std::string(reason.message())}});
  }
  return json;
}

std::string TitleOf(const VerifiedIndex& index) {
  return index.vector.empty() ? index.collection : StrCat(index.collection, "/", index.vector);
}

// "links 3,118,204, highest level 4"
std::string MeasuresOf(const IndexReport& report) {
  std::string text;
  for (const IndexMeasure& measure : report.measures()) {
    if (measure.name == "live") continue;  // It has a column.
    std::string name(measure.name);
    for (char& c : name) c = c == '_' ? ' ' : c;
    StrAppend(&text, text.empty() ? "" : ", ", name, " ", FormatCount(measure.value));
  }
  return text;
}

void PrintTable(const Verification& verification) {
  std::vector<std::vector<std::string>> rows = {{"INDEX", "KIND", "STATE", "VECTORS", "MEASURES"}};
  for (const VerifiedIndex& index : verification.indexes) {
    rows.push_back({TitleOf(index), std::string(KindOf(index.kind)), std::string(StateOf(index)),
                    index.file ? FormatCount(index.report.Measure("live")) : "",
                    MeasuresOf(index.report)});
  }
  std::cout << FormatTable(rows,
                           {Align::kLeft, Align::kLeft, Align::kLeft, Align::kRight, Align::kLeft});
}

void PrintFindings(const Verification& verification) {
  for (const VerifiedIndex& index : verification.indexes) {
    if (index.report.is_sound()) continue;
    std::cout << "\n" << TitleOf(index) << ": " << index.file->string() << "\n";
    for (const IndexFinding& finding : index.report.findings()) {
      std::cout << "  " << FormatCount(finding.count) << " " << finding.fault
                << "; the first: " << Printable(finding.first, Lines::kJoin) << "\n";
    }
  }
  for (const auto& [name, reason] : verification.damaged) {
    std::cout << "\n" << name << ": " << Printable(StdView(reason.message()), Lines::kJoin) << "\n";
  }
}

absl::Status RunVerify(const GlobalOptions& globals, const VerifyFlags& flags) {
  VETTORE_ASSIGN_OR_RETURN(const std::string data_dir, DataDirectoryOf(flags));
  VETTORE_ASSIGN_OR_RETURN(const Verification verification,
                           VerifyDataDirectory(data_dir, flags.collections));
  if (globals.json) {
    PrintJson(VerificationJson(data_dir, verification));
  } else if (verification.indexes.empty() && verification.damaged.empty()) {
    Notice(globals, StrCat(data_dir, ": no collections"));
  } else {
    PrintTable(verification);
    PrintFindings(verification);
  }
  if (verification.is_sound()) return absl::OkStatus();
  if (!verification.damaged.empty()) {
    return absl::DataLossError(StrCat(
        data_dir, ": a collection's record is damaged; restore the directory from a backup"));
  }
  return absl::DataLossError(
      StrCat(data_dir,
             ": an index is unsound; no point is lost: remove its file, and the next "
             "start builds the index from the records"));
}

}  // namespace

void AddVerifyCommand(CommandLine& line) {
  CLI::App* command = line.Add(
      line.app(),
      {.name = "verify",
       .summary = "Look through the index files of a stopped server",
       .text =
           "Reads the checkpoint of every index in a data directory, changes nothing, and names "
           "all "
           "that is wrong: damaged or foreign files; of a graph, links that lead nowhere, lists "
           "and levels that do not fit, an entry point that is none, and points that no search "
           "could reach; of inverted lists, rows in two lists or in none that exists; of FAISS, "
           "numbers without a vector. Points that wait to be indexed are no fault, and neither is "
           "an index without a file: a start builds it. The server must be stopped, and cannot be "
           "started meanwhile. Exit code 0: all are sound; 1: one is not, or could not be read.",
       .examples = "  vettore verify\n"
                   "  vettore verify --data-dir /srv/vettore\n"
                   "  vettore verify articles --data-dir /srv/vettore --json\n"});
  const auto flags = std::make_shared<VerifyFlags>();
  command->add_option("COLLECTION", flags->collections, "Only these; all when none is named");
  command
      ->add_option("--data-dir", flags->data_dir,
                   "What the server was started with. VETTORE_DATA_DIR")
      ->type_name("DIR");
  command
      ->add_option("--config", flags->config,
                   "The server's file of settings, for its data_dir. VETTORE_CONFIG")
      ->type_name("FILE");
  line.Run(command, [flags](const GlobalOptions& globals) { return RunVerify(globals, *flags); });
}

}  // namespace vettore
