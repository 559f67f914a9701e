// The first bytes of what is shorter than a word, without a read past them; private to this room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace vettore::simd {

// count < 8; byte i of the result, from the lowest, is p[i], and the rest is zero. (Little-endian,
// as is every architecture that the project is built for.)
inline uint64_t FirstBytes(const uint8_t* p, size_t count) {
  uint64_t word = 0;
  size_t done = 0;
  if ((count & 4U) != 0) {
    uint32_t four = 0;
    std::memcpy(&four, p, sizeof(four));
    word = four;
    done = 4;
  }
  if ((count & 2U) != 0) {
    uint16_t two = 0;
    std::memcpy(&two, p + done, sizeof(two));
    word |= uint64_t{two} << (8 * done);
    done += 2;
  }
  if ((count & 1U) != 0) word |= uint64_t{p[done]} << (8 * done);
  return word;
}

// The same of up to sixteen bytes, as two words.
struct TwoWords {
  uint64_t low;
  uint64_t high;
};
inline TwoWords FirstBytesOf16(const uint8_t* p, size_t count) {
  if (count < 8) return {FirstBytes(p, count), 0};
  TwoWords words{};
  std::memcpy(&words.low, p, sizeof(words.low));
  words.high = FirstBytes(p + 8, count - 8);
  return words;
}

}  // namespace vettore::simd
