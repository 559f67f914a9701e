// What the commands have in common: their registration, the options that all take, and how they
// fail.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "types/json.h"

namespace vettore {

struct GlobalOptions {
  std::string server = "127.0.0.1:6320";
  double timeout_seconds = 60;
  bool json = false;
  bool quiet = false;

  absl::Duration timeout() const { return absl::Seconds(timeout_seconds); }
};

// The command line under construction and, after parsing, the command that it chose. Externally
// synchronised.
class CommandLine {
 public:
  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  CLI::App& app() { return app_; }
  const GlobalOptions& globals() const { return globals_; }

  // A command of `parent` with its help: one paragraph, and examples, one a line ("vettore search
  // ...").
  struct Help {
    std::string name;
    std::string summary;   // One line, for the list of commands.
    std::string text;      // What the command does.
    std::string examples;  // Lines.
  };
  CLI::App* Add(CLI::App& parent, const Help& help);
  // A command that only groups others.
  CLI::App* AddGroup(const Help& help);

  // What `command` does when it is chosen.
  void Run(CLI::App* command, std::function<absl::Status(const GlobalOptions&)> run);

  // After parsing: runs the command that was chosen.
  absl::Status RunChosen() const { return chosen_(globals_); }

 private:
  CLI::App app_;
  GlobalOptions globals_;
  std::function<absl::Status(const GlobalOptions&)> chosen_;
};

// The commands, each in a file of its own; cli.cc holds the list.
void AddServeCommand(CommandLine& line);
void AddCollectionCommands(CommandLine& line);
void AddIngestCommand(CommandLine& line);
void AddSearchCommand(CommandLine& line);
void AddEmbedCommand(CommandLine& line);
void AddImportCommand(CommandLine& line);
void AddExportCommand(CommandLine& line);
void AddStatusCommand(CommandLine& line);
void AddVerifyCommand(CommandLine& line);
void AddBenchCommands(CommandLine& line);
void AddBenchCollectionCommand(CommandLine& line, CLI::App& group);  // Of AddBenchCommands.

// A command line that cannot be meant: exit code 2.
absl::Status UsageError(std::string_view message);
bool IsUsageError(const absl::Status& status);

// The user stopped the command: exit code 130.
absl::Status InterruptedError(std::string_view message);
bool IsInterrupted(const absl::Status& status);

int ExitCodeOf(const absl::Status& status);

// A line on standard error that is no error; silent with --quiet and --json.
void Notice(const GlobalOptions& globals, std::string_view text);
// On standard output, as one document; text that is not UTF-8 is repaired.
void PrintJson(const Json& value);

}  // namespace vettore
