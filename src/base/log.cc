#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/strings.h"
#include "base/utf8.h"

namespace vettore {
namespace {

std::atomic<LogFormat> active_format{LogFormat::kLogfmt};

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto created = std::make_shared<spdlog::logger>(
        "vettore", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    created->set_pattern("%v");
    return created;
  }();
  return *logger;
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

void AppendEscaped(std::string& out, char c) {
  if (c == '\n') {
    out += "\\n";
  } else if (IsControl(c)) {
    absl::StrAppendFormat(&out, "\\u%04x", static_cast<unsigned char>(c));
  } else {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

// A quoted string that is valid in JSON and readable in logfmt, whatever the bytes: a value can
// forge no second line, no terminal escape and no broken UTF-8. A byte that is not UTF-8 becomes
// U+FFFD.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  while (true) {
    const size_t valid = FindInvalidUtf8(text).value_or(text.size());
    for (const char c : text.substr(0, valid)) AppendEscaped(out, c);
    if (valid == text.size()) return out + '"';
    out += "\xEF\xBF\xBD";
    text.remove_prefix(valid + 1);
  }
}

bool NeedsQuotes(std::string_view text) {
  return text.empty() || text.find_first_of(" =\"\\") != std::string_view::npos ||
         std::any_of(text.begin(), text.end(), IsControl) || !IsValidUtf8(text);
}

}  // namespace

void ConfigureLog(LogLevel level, LogFormat format) {
  Logger().set_level(ToSpdlog(level));
  active_format = format;
}

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!Logger().should_log(ToSpdlog(level))) return;
  const std::string time =
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  const bool json = active_format == LogFormat::kJson;
  std::string line =
      json ? StrCat("{\"time\":\"", time, "\",\"level\":\"", NameOf(level),
                    "\",\"event\":", Quoted(event))
           : StrCat("time=", time, " level=", NameOf(level), " event=", Quoted(event));
  for (const LogField& field : fields) {
    if (json) {
      StrAppend(&line, ",", Quoted(field.name), ":", Quoted(field.value));
    } else {
      StrAppend(&line, " ", field.name, "=",
                NeedsQuotes(field.value) ? Quoted(field.value) : field.value);
    }
  }
  if (json) line += '}';
  Logger().log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace vettore
