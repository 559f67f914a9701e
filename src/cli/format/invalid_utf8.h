// What is done with text that is not UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace vettore {

enum class InvalidUtf8 { kRefuse, kReplace };

// `text` with one U+FFFD in the place of each byte that is not part of a character together with
// the continuation bytes behind it.
std::string ReplaceInvalidUtf8(std::string_view text);

}  // namespace vettore
