// Codes of 1 bit: the signs of the rotated vector (RaBitQ; Gao & Long, 2024).
#include <algorithm>
#include <cmath>

#include "index/codes/coding.h"

namespace vettore {
namespace {

// The levels are -1/2 and 1/2. The scale makes the code's inner product with its own vector right,
// and so those with other vectors right on average (section 3.2).
CodeFactors EncodeBits(std::span<const float> values, float squared_norm, std::span<uint8_t> code) {
  std::fill(code.begin(), code.end(), uint8_t{0});
  float magnitudes = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    magnitudes += std::abs(values[i]);
    const size_t byte = i / simd::kBitStep * simd::kBitPlane + i % simd::kBitPlane;
    const size_t shift = i % simd::kBitStep / simd::kBitPlane;
    code[byte] = static_cast<uint8_t>(code[byte] | (values[i] > 0 ? 1U : 0U) << shift);
  }
  const float scale = 2 * squared_norm / magnitudes;
  return {std::isfinite(scale) ? scale : 0, squared_norm};
}

}  // namespace

constexpr Coding kBitCoding = {.query_step = simd::kBitPlane,
                               .line_values = simd::kBitStep,
                               .max_query = simd::kMaxBitQuery,
                               .factor = 2,
                               .offset = 1,
                               .is_error_known = true,
                               .is_rotated = true,
                               .products = &simd::CodeKernels::bit_products,
                               .encode = EncodeBits,
                               .decode = nullptr};

}  // namespace vettore
