// The log's interface without its libraries, for scripts/test-arm, which builds the simd room alone
// for a machine that they are not installed for.
#pragma once

#include <initializer_list>
#include <iostream>
#include <string_view>

namespace vettore {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct LogField {
  std::string_view name;
  std::string_view value;
};

inline void Log(LogLevel, std::string_view event, std::initializer_list<LogField> fields = {}) {
  std::cerr << event;
  for (const LogField& field : fields) std::cerr << ' ' << field.name << '=' << field.value;
  std::cerr << '\n';
}

}  // namespace vettore
