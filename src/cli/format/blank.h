// White space at the ends of text, ASCII's.
#pragma once

#include <string_view>

namespace vettore {

inline constexpr std::string_view kAsciiSpace = " \t\n\v\f\r";

inline std::string_view StripTrailing(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kAsciiSpace) + 1);  // npos + 1 is 0.
}
inline std::string_view Strip(std::string_view text) {
  text = StripTrailing(text);
  return text.empty() ? text : text.substr(text.find_first_not_of(kAsciiSpace));
}
inline bool IsBlank(std::string_view text) { return Strip(text).empty(); }

}  // namespace vettore
