#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace vettore {
namespace {

// What may follow a lead byte: how many bytes, and the range of the first of them. The others are
// 0x80 to 0xBF.
struct Continuation {
  size_t count;
  unsigned char low, high;
};

std::optional<Continuation> ContinuationOf(unsigned char lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return Continuation{1, 0x80, 0xBF};
  if (lead == 0xE0) return Continuation{2, 0xA0, 0xBF};
  if (lead == 0xED) return Continuation{2, 0x80, 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return Continuation{2, 0x80, 0xBF};
  if (lead == 0xF0) return Continuation{3, 0x90, 0xBF};
  if (lead >= 0xF1 && lead <= 0xF3) return Continuation{3, 0x80, 0xBF};
  if (lead == 0xF4) return Continuation{3, 0x80, 0x8F};
  return std::nullopt;
}

// The length of the sequence at the start of `text`, which is not empty; 0 when it is malformed.
size_t SequenceLength(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return 1;
  const std::optional<Continuation> next = ContinuationOf(byte(0));
  if (!next || text.size() <= next->count || byte(1) < next->low || byte(1) > next->high) return 0;
  for (size_t i = 2; i <= next->count; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return next->count + 1;
}

}  // namespace

std::optional<size_t> FindInvalidUtf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    uint64_t eight;
    if (text.size() - i >= sizeof eight) {  // Most text is ASCII: eight bytes a step.
      std::memcpy(&eight, text.data() + i, sizeof eight);
      if ((eight & 0x8080808080808080) == 0) {
        i += sizeof eight;
        continue;
      }
    }
    const size_t length = SequenceLength(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return std::nullopt;
}

}  // namespace vettore
