// Codes of 8 bits: each value in steps of the 127th part of the largest.
#include <algorithm>
#include <cmath>

#include "index/codes/coding.h"

namespace vettore {
namespace {

constexpr float kLargestByte = 127;
constexpr int32_t kByteOffset = 128;

CodeFactors EncodeBytes(std::span<const float> values, float squared_norm,
                        std::span<uint8_t> code) {
  const float largest = simd::ActiveCodeKernels().largest_magnitude(values.data(), values.size());
  const float inverse = kLargestByte / largest;
  std::fill(code.begin(), code.end(), static_cast<uint8_t>(kByteOffset));
  // Of a vector of zeros, or one whose codes overflow, nothing is known but its length.
  if (!std::isfinite(inverse) || inverse == 0) return {0, squared_norm};
  for (size_t i = 0; i < values.size(); ++i) {
    code[i] =
        static_cast<uint8_t>(kByteOffset + static_cast<int>(std::lrintf(values[i] * inverse)));
  }
  return {largest / kLargestByte, squared_norm};
}

// Halved, to the even neighbour: a query has a bit less.
float DecodeBytes(std::span<const uint8_t> code, std::span<int8_t> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    const int value = code[i] - kByteOffset;
    values[i] = static_cast<int8_t>((value + (value >> 1 & 1)) >> 1);
  }
  return 2;
}

}  // namespace

constexpr Coding kByteCoding = {.query_step = simd::kByteStep,
                                .line_values = simd::kByteStep,
                                .max_query = simd::kMaxByteQuery,
                                .factor = 1,
                                .offset = kByteOffset,
                                .is_error_known = false,
                                .is_rotated = false,
                                .products = &simd::CodeKernels::byte_products,
                                .encode = EncodeBytes,
                                .decode = DecodeBytes};

}  // namespace vettore
