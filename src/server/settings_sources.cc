// Settings from a file, the environment and flags, in the order in which they win.
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "base/file.h"
#include "base/status.h"
#include "base/strings.h"
#include "server/listen_address.h"
#include "server/settings.h"

namespace vettore {
namespace {

constexpr size_t kSettingsFileBytes = 1 << 20;

std::string_view Stripped(std::string_view text) {
  return StdView(absl::StripAsciiWhitespace(AbslView(text)));
}

// What was got, short and printable.
std::string Shown(std::string_view text) { return absl::CHexEscape(AbslView(text.substr(0, 100))); }

// The value of one line: quoted text without its quotes, or bare text up to a comment.
absl::StatusOr<std::string> ReadValue(std::string_view text) {
  if (!text.starts_with('"')) {
    const std::string_view bare = Stripped(text.substr(0, text.find('#')));
    if (bare.empty()) return absl::InvalidArgumentError("no value after '='");
    if (bare.find('"') != std::string_view::npos) {
      return absl::InvalidArgumentError("a quote within a value that does not begin with one");
    }
    return std::string(bare);
  }
  std::string value;
  size_t i = 1;
  for (; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\') {
      ++i;
      if (i == text.size() || (text[i] != '"' && text[i] != '\\')) {
        return absl::InvalidArgumentError("only \\\" and \\\\ may follow a backslash");
      }
    }
    value += text[i];
  }
  if (i == text.size()) return absl::InvalidArgumentError("no closing quote");
  const std::string_view rest = Stripped(text.substr(i + 1));
  if (!rest.empty() && rest.front() != '#') {
    return absl::InvalidArgumentError("only a comment may follow a quoted value");
  }
  return value;
}

absl::StatusOr<const Setting*> SettingOfLine(std::string_view name) {
  if (const Setting* setting = FindSetting(name); setting != nullptr) return setting;
  std::string known;
  for (const Setting& setting : SettingsTable())
    StrAppend(&known, known.empty() ? "" : ", ", setting.name);
  return absl::InvalidArgumentError(
      StrCat("there is no setting '", Shown(name), "'; the settings are ", known));
}

absl::StatusOr<const Setting*> ApplyLine(std::string_view line, ServerOptions& options) {
  const size_t equals = line.find('=');
  if (equals == std::string_view::npos) {
    return absl::InvalidArgumentError(StrCat("expects `name = value`, got '", Shown(line), "'"));
  }
  const std::string_view name = Stripped(line.substr(0, equals));
  VETTORE_ASSIGN_OR_RETURN(const Setting* setting, SettingOfLine(name));
  absl::StatusOr<std::string> value = ReadValue(Stripped(line.substr(equals + 1)));
  if (!value.ok()) return Annotate(value.status(), name);
  VETTORE_RETURN_IF_ERROR(Annotate(setting->Set(options, *value), name));
  return setting;
}

std::optional<std::string> ProcessEnvironment(const std::string& variable) {
  const char* value = std::getenv(variable.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

// A leading "~/" stands for the home directory, which $HOME names.
std::string WithHome(const std::string& path, const std::optional<std::string>& home) {
  return path.starts_with("~/") && home ? *home + path.substr(1) : path;
}

}  // namespace

absl::Status ApplySettingsText(std::string_view text, std::string_view source,
                               ServerOptions& options) {
  std::vector<const Setting*> seen;
  size_t number = 0;
  while (!text.empty()) {
    ++number;
    const size_t end = text.find('\n');
    const std::string_view line = Stripped(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    const std::string where = StrCat(source, ":", number);
    absl::StatusOr<const Setting*> setting = ApplyLine(line, options);
    if (!setting.ok()) return Annotate(setting.status(), where);
    for (const Setting* earlier : seen) {
      if (earlier != *setting) continue;
      return absl::InvalidArgumentError(
          StrCat(where, ": '", earlier->name, "' is set a second time"));
    }
    seen.push_back(*setting);
  }
  return absl::OkStatus();
}

absl::StatusOr<ServerOptions> LoadServerOptions(const SettingSources& sources) {
  const auto& environment = sources.environment ? sources.environment : ProcessEnvironment;
  ServerOptions options;
  const std::optional<std::string> file =
      sources.file ? sources.file : environment("VETTORE_CONFIG");
  if (file) {
    VETTORE_ASSIGN_OR_RETURN(const std::string text, ReadFile(*file, kSettingsFileBytes));
    VETTORE_RETURN_IF_ERROR(ApplySettingsText(text, *file, options));
  }
  for (const Setting& setting : SettingsTable()) {
    const std::optional<std::string> value = environment(setting.EnvironmentName());
    if (!value) continue;
    VETTORE_RETURN_IF_ERROR(Annotate(setting.Set(options, *value),
                                     StrCat("environment variable ", setting.EnvironmentName())));
  }
  for (const auto& [name, value] : sources.flags) {
    absl::StatusOr<const Setting*> setting = SettingOfLine(name);
    if (!setting.ok()) return Annotate(setting.status(), "flags");
    VETTORE_RETURN_IF_ERROR(Annotate((*setting)->Set(options, value), (*setting)->FlagName()));
  }
  VETTORE_RETURN_IF_ERROR(ListenAddress::Parse(options.listen).status());
  if (options.queue_bytes < options.max_message_bytes) {
    return absl::InvalidArgumentError(
        StrCat("queue_bytes: ", options.queue_bytes, " is less than max_message_bytes, ",
               options.max_message_bytes, ": the largest request could never run"));
  }
  options.data_dir = WithHome(options.data_dir, environment("HOME"));
  options.models_dir = WithHome(options.models_dir, environment("HOME"));
  return options;
}

}  // namespace vettore
