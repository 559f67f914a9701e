// The one table of settings: names, defaults, ranges and help; read from a file, the environment
// and flags.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/server_options.h"

namespace vettore {

// Where a setting is kept; its type says how its text reads. Numbers are counts unless the setting
// says bytes.
using SettingField =
    std::variant<std::string ServerOptions::*, bool ServerOptions::*, uint64_t ServerOptions::*,
                 LogLevel ServerOptions::*, LogFormat ServerOptions::*>;

enum class NumberUnit { kCount, kBytes };

// One row of the table. Immutable.
struct Setting {
  std::string_view name;  // As it stands in a file: "data_dir".
  SettingField field;
  std::string_view help;
  uint64_t min = 0;  // Of numbers.
  uint64_t max = 0;
  NumberUnit unit = NumberUnit::kCount;

  std::string FlagName() const;         // "--data-dir"
  std::string EnvironmentName() const;  // "VETTORE_DATA_DIR"
  std::string DefaultText() const;      // "256MB"; readable by Set.
  std::string TypeText() const;         // "text", "true or false", "bytes, 1MB to 1GB", ...

  // Reads `text` into the setting's field. InvalidArgument with what was wanted and what was got.
  absl::Status Set(ServerOptions& options, std::string_view text) const;
};

std::span<const Setting> SettingsTable();
// Null when there is none of that name.
const Setting* FindSetting(std::string_view name);

// Where values come from. Flags win over the environment, the environment over the file, the file
// over the defaults.
struct SettingSources {
  std::optional<std::string> file;  // A path. Absent: the variable VETTORE_CONFIG, or none.
  // The value of a variable, or nullopt; empty: the process's own environment.
  std::function<std::optional<std::string>(const std::string& variable)> environment;
  std::vector<std::pair<std::string, std::string>> flags;  // Setting name and text, in order.
};

// InvalidArgument or NotFound; the message opens with the file and line, the variable or the flag.
absl::StatusOr<ServerOptions> LoadServerOptions(const SettingSources& sources);

// Reads lines `name = value`: '#' opens a comment; a value may stand in double quotes, with \" and
// \\ within. Every line is understood or refused, by its number; a name may stand once.
absl::Status ApplySettingsText(std::string_view text, std::string_view source,
                               ServerOptions& options);

// The whole of docs/configuration.md.
std::string SettingsMarkdown();

}  // namespace vettore
