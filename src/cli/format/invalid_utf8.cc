#include "cli/format/invalid_utf8.h"

#include <cstddef>
#include <optional>

#include "base/utf8.h"

namespace vettore {

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (const std::optional<size_t> invalid = FindInvalidUtf8(text)) {
    out.append(text.substr(0, *invalid));
    out.append("\xEF\xBF\xBD");
    text.remove_prefix(*invalid + 1);
    while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xC0) == 0x80) {
      text.remove_prefix(1);
    }
  }
  out.append(text);
  return out;
}

}  // namespace vettore
