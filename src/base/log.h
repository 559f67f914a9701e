// Structured logs: one line an event on standard error, as logfmt or JSON.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/strings.h"

namespace vettore {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kLogfmt, kJson };

// A name and a value of one event. Values are quoted and escaped as the format needs.
struct LogField {
  // field_value: anything that StrCat joins.
  template <typename T>
  LogField(std::string_view field_name, const T& field_value)
      : name(field_name), value(StrCat(field_value)) {}
  std::string_view name;
  std::string value;
};

// Sets what the process logs from now on; the default is kInfo as logfmt. Thread-safe.
void ConfigureLog(LogLevel level, LogFormat format);

// `event` is a fixed phrase in lower case ("collection created"); what varies goes into the fields.
// Thread-safe.
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace vettore
