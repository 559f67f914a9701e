// The first bytes of what is shorter than a register, without a read past them; private to this
// room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace vettore::simd {

template <typename Word>
inline uint64_t WordAt(const uint8_t* p) {
  Word word;
  std::memcpy(&word, p, sizeof(word));
  return word;
}

// count < 8; byte i of the result, from the lowest, is p[i], and the rest is zero. Two reads may
// overlap: they agree where they do. (Little-endian, as is every architecture that the project is
// built for.)
inline uint64_t FirstBytes(const uint8_t* p, size_t count) {
  if (count >= 4) {
    return WordAt<uint32_t>(p) | WordAt<uint32_t>(p + count - 4) << (8 * (count - 4));
  }
  if (count == 0) return 0;
  const size_t middle = count / 2;
  return uint64_t{p[0]} | uint64_t{p[middle]} << (8 * middle) |
         uint64_t{p[count - 1]} << (8 * (count - 1));
}

// The same of less than sixteen bytes, as two words.
struct TwoWords {
  uint64_t low;
  uint64_t high;
};
inline TwoWords FirstBytesOf16(const uint8_t* p, size_t count) {
  if (count < 8) return {FirstBytes(p, count), 0};
  if (count == 8) return {WordAt<uint64_t>(p), 0};
  return {WordAt<uint64_t>(p), WordAt<uint64_t>(p + count - 8) >> (8 * (16 - count))};
}

}  // namespace vettore::simd
