// `vettore serve`: flags out of the settings table, then the server.
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/file.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/command.h"
#include "server/serve.h"
#include "server/settings.h"
#include "server/version.h"

namespace vettore {
namespace {

struct ServeFlags {
  std::optional<std::string> config;
  std::optional<std::string> address_file;
  bool stop_on_stdin_close = false;
  bool print_markdown = false;
  std::vector<std::string> values;  // One a row of the settings table.
  std::vector<CLI::Option*> options;
};

void AddSettingFlags(CLI::App& command, ServeFlags& flags) {
  flags.values.resize(SettingsTable().size());
  for (size_t i = 0; i < SettingsTable().size(); ++i) {
    const Setting& setting = SettingsTable()[i];
    const std::string help =
        StrCat(setting.help, " Default ", setting.DefaultText(), ". ", setting.EnvironmentName());
    const bool is_switch = std::holds_alternative<bool ServerOptions::*>(setting.field);
    // As a flag, a switch stands alone ("--x") or with its value ("--x=false").
    flags.options.push_back(
        is_switch
            ? command.add_flag(setting.FlagName(), flags.values[i], help)
            : command.add_option(setting.FlagName(), flags.values[i], help)->type_name("VALUE"));
  }
}

void PrintAddress(const GlobalOptions& globals, const Server& server) {
  if (globals.json) {
    const Json ready = {{"address", server.address()}, {"version", Version()}};
    std::cout << ready.dump() << std::endl;
    return;
  }
  std::cout << "vettore " << Version() << " serves at " << server.address()
            << "; Ctrl-C stops it\n"
               "try, in another terminal:  vettore status --server "
            << server.address() << std::endl;
}

absl::Status RunServe(const GlobalOptions& globals, const ServeFlags& flags) {
  if (flags.print_markdown) {
    std::cout << SettingsMarkdown();
    return absl::OkStatus();
  }
  SettingSources sources;
  sources.file = flags.config;
  for (size_t i = 0; i < flags.options.size(); ++i) {
    if (flags.options[i]->count() == 0) continue;
    sources.flags.emplace_back(std::string(SettingsTable()[i].name), flags.values[i]);
  }
  const absl::StatusOr<ServerOptions> options = LoadServerOptions(sources);
  if (!options.ok()) {
    if (!absl::IsInvalidArgument(options.status())) return options.status();
    return UsageError(StdView(options.status().message()));
  }
  return ServeUntilSignal(
      *options, flags.stop_on_stdin_close ? StdinEnd::kStops : StdinEnd::kIgnored,
      [&globals, &flags](const Server& server) {
        PrintAddress(globals, server);
        return flags.address_file
                   ? WriteFileAtomically(*flags.address_file, server.address() + "\n")
                   : absl::OkStatus();
      });
}

}  // namespace

void AddServeCommand(CommandLine& line) {
  CLI::App* command = line.Add(
      line.app(),
      {.name = "serve",
       .summary = "Run the server",
       .text = "Opens the data directory and answers until Ctrl-C or SIGTERM. Settings come from "
               "flags, from the environment (VETTORE_DATA_DIR and so on) and from a file of lines "
               "`name = value`; flags win over the environment, the environment over the file. "
               "The log goes to standard error.",
       .examples = "  vettore serve\n"
                   "  vettore serve --data-dir /srv/vettore --models-dir /srv/models\n"
                   "  vettore serve --listen unix:/run/vettore.sock --log-format json\n"
                   "  vettore serve --config vettore.conf\n"});
  const auto flags = std::make_shared<ServeFlags>();
  command
      ->add_option("--config", flags->config,
                   "A file of settings, lines `name = value`. VETTORE_CONFIG")
      ->type_name("FILE");
  command
      ->add_option("--address-file", flags->address_file,
                   "Write the address there once the server answers, for programs that start it")
      ->type_name("FILE");
  command->add_flag("--stop-on-stdin-close", flags->stop_on_stdin_close,
                    "Stop when standard input ends: with the program that holds its other end");
  AddSettingFlags(*command, *flags);
  // For docs/configuration.md.
  command->add_flag("--print-settings-markdown", flags->print_markdown)->group("");
  line.Run(command, [flags](const GlobalOptions& globals) { return RunServe(globals, *flags); });
}

}  // namespace vettore
