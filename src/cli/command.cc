#include "cli/command.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <utility>

#include "absl/strings/cord.h"
#include "base/strings.h"
#include "cli/terminal.h"
#include "server/version.h"

namespace vettore {
namespace {

constexpr char kUsage[] = "vettore.usage";
constexpr char kInterrupted[] = "vettore.interrupted";

constexpr char kDescription[] =
    "Vettore keeps documents and vectors, and finds the ones nearest to a question.\n\n"
    "One program is server and client: `vettore serve` holds the data, every other command asks "
    "it.";

constexpr char kFirstSteps[] =
    "First steps:\n"
    "  vettore serve --data-dir my-data              start the server (in another terminal)\n"
    "  vettore ingest handbook/                      store a folder of documents\n"
    "  vettore search \"how do I undo a commit?\"      ask\n"
    "\n"
    "Every command explains itself: vettore COMMAND --help.\n"
    "Exit codes: 0 done, 1 failed (the reason is on standard error), 2 the command line is wrong,\n"
    "130 interrupted. With --json, results are JSON on standard output and errors JSON on "
    "standard\n"
    "error. VETTORE_SERVER gives the server's address where --server does not.";

constexpr char kExitCodes[] =
    "Exit codes: 0 done, 1 failed, 2 the command line is wrong, 130 interrupted.";

// CLI11's layout, with lines that fit the terminal. Immutable.
class Layout : public CLI::Formatter {
 public:
  Layout() { column_width(kColumn); }

  std::string make_usage(const CLI::App* app, std::string name) const override {
    const std::string usage = CLI::Formatter::make_usage(app, std::move(name));
    const size_t begin = usage.find_first_not_of('\n');
    return begin == std::string::npos ? usage : "\n" + usage.substr(begin);
  }
  std::string make_description(const CLI::App* app) const override {
    std::string out;
    const std::string text = app->get_description();
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find(kParagraph, begin), text.size());
      StrAppend(&out, out.empty() ? "" : "\n",
                Wrap(text.substr(begin, end - begin), 0, Width(), kAllLines));
      begin = end + kParagraph.size();
    }
    return out;
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    // The layout indents every line but the first.
    std::string text = Wrap(option->get_description(), 0, Width() - kColumn, kAllLines);
    if (!text.empty()) text.pop_back();
    return text;
  }

 private:
  static constexpr size_t kColumn = 34;
  static constexpr size_t kAllLines = 1'000;
  static constexpr std::string_view kParagraph = "\n\n";
  static size_t Width() { return std::clamp<size_t>(TerminalWidth(), 2 * kColumn, 100); }
};

absl::Status Marked(absl::Status status, const char* mark) {
  status.SetPayload(mark, absl::Cord());
  return status;
}

}  // namespace

CommandLine::CommandLine() : app_(kDescription, "vettore") {
  app_.formatter(std::make_shared<Layout>());
  app_.set_version_flag("--version", "vettore " + std::string(Version()),
                        "Print the version and exit");
  app_.set_help_flag("-h,--help", "Print this help and exit");
  app_.require_subcommand(1);
  app_.footer(kFirstSteps);
  app_.fallthrough();
  app_.add_option("--server", globals_.server, "The server: host:port or unix:/path")
      ->envname("VETTORE_SERVER")
      ->capture_default_str()
      ->type_name("ADDRESS");
  app_.add_option("--timeout", globals_.timeout_seconds,
                  "Seconds to wait for an answer, or for a lost server to come back")
      ->capture_default_str()
      ->check(CLI::Range(0.001, 86'400.0).description(""))
      ->type_name("SECONDS");
  app_.add_flag("--json", globals_.json, "Print results and errors as JSON");
  app_.add_flag("-q,--quiet", globals_.quiet, "No progress and no notices");
}

CLI::App* CommandLine::Add(CLI::App& parent, const Help& help) {
  CLI::App* command = parent.add_subcommand(help.name, help.summary);
  command->formatter(std::make_shared<Layout>());
  command->set_help_flag("-h,--help", "Print this help and exit");
  // The list of commands shows the summary; the command's own help opens with its text.
  command->preparse_callback([command, text = help.text](size_t) { command->description(text); });
  command->footer(StrCat("Examples:\n", help.examples,
                         "\nOptions for every command: --server ADDRESS, --timeout SECONDS, "
                         "--json, --quiet.\n",
                         kExitCodes));
  return command;
}

CLI::App* CommandLine::AddGroup(const Help& help) {
  CLI::App* group = Add(app_, help);
  group->require_subcommand(1);
  return group;
}

void CommandLine::Run(CLI::App* command, std::function<absl::Status(const GlobalOptions&)> run) {
  command->callback([this, run = std::move(run)] { chosen_ = run; });
}

absl::Status UsageError(std::string_view message) {
  return Marked(absl::InvalidArgumentError(AbslView(message)), kUsage);
}

bool IsUsageError(const absl::Status& status) { return status.GetPayload(kUsage).has_value(); }

absl::Status InterruptedError(std::string_view message) {
  return Marked(absl::CancelledError(AbslView(message)), kInterrupted);
}

bool IsInterrupted(const absl::Status& status) {
  return status.GetPayload(kInterrupted).has_value();
}

void Notice(const GlobalOptions& globals, std::string_view text) {
  if (!globals.quiet && !globals.json) std::cerr << Printable(text, Lines::kKeep) << "\n";
}

void PrintJson(const Json& value) {
  std::cout << value.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

int ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return 0;
  if (IsUsageError(status)) return 2;
  return IsInterrupted(status) ? 130 : 1;
}

}  // namespace vettore
