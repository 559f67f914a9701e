// The check that bytes are UTF-8.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace vettore {

// The offset of the first byte that no well-formed sequence (Unicode 15, table 3-7: no surrogates,
// nothing overlong, nothing past U+10FFFF) covers; nullopt when `text` is valid UTF-8.
std::optional<size_t> FindInvalidUtf8(std::string_view text);

inline bool IsValidUtf8(std::string_view text) { return !FindInvalidUtf8(text).has_value(); }

}  // namespace vettore
