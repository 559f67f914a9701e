// Codes of 4 bits: each value of the rotated vector at the level nearest to it, of sixteen.
#include <algorithm>
#include <array>
#include <cmath>

#include "index/codes/coding.h"

namespace vettore {
namespace {

// The levels are -7.5, -6.5, ... 7.5.
constexpr float kNibbleOffset = 7.5F;
constexpr size_t kNibbleHalf = simd::kNibbleStep / 2;

// The level of a value in steps: 0 to 15.
int NibbleOf(float steps) { return static_cast<int>(std::clamp(steps + 8.0F, 0.0F, 15.5F)); }

// How a vector looks at a step of its levels: what its code's inner product with it, and with
// itself, are.
struct Fit {
  float with_vector = 0;
  float with_itself = 0;
};

Fit FitOf(std::span<const float> values, float inverse_step) {
  Fit fit;
  for (const float value : values) {
    const float level = static_cast<float>(NibbleOf(value * inverse_step)) - kNibbleOffset;
    fit.with_vector += value * level;
    fit.with_itself += level * level;
  }
  return fit;
}

// The scale is chosen for the smallest angle, and corrected so that inner products are right on
// average (as in RaBitQ with more bits; Gao et al., 2025).
CodeFactors EncodeNibbles(std::span<const float> values, float squared_norm,
                          std::span<uint8_t> code) {
  std::fill(code.begin(), code.end(), uint8_t{0});
  const float deviation = std::sqrt(squared_norm / static_cast<float>(values.size()));
  if (!std::isfinite(1 / deviation) || deviation == 0) return {0, squared_norm};
  // Around the best step for a normal distribution, a third of the deviation.
  constexpr std::array kSteps = {0.22F, 0.25F, 0.28F, 0.31F, 0.34F, 0.37F, 0.41F, 0.46F};
  float best_cosine = -1;
  float inverse_step = 0;
  float scale = 0;
  for (const float step : kSteps) {
    const float inverse = 1 / (step * deviation);
    const Fit fit = FitOf(values, inverse);
    const float cosine = fit.with_vector / std::sqrt(fit.with_itself);
    if (cosine > best_cosine) {
      best_cosine = cosine;
      inverse_step = inverse;
      scale = squared_norm / fit.with_vector;
    }
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t byte = i / simd::kNibbleStep * kNibbleHalf + i % kNibbleHalf;
    const int shift = i % simd::kNibbleStep < kNibbleHalf ? 0 : 4;
    code[byte] = static_cast<uint8_t>(code[byte] | NibbleOf(values[i] * inverse_step) << shift);
  }
  return {std::isfinite(scale) ? scale : 0, squared_norm};
}

// Doubled: the levels are halves.
float DecodeNibbles(std::span<const uint8_t> code, std::span<int8_t> values) {
  for (size_t step = 0; step * kNibbleHalf < code.size(); ++step) {
    const uint8_t* const bytes = code.data() + step * kNibbleHalf;
    int8_t* const low = values.data() + step * simd::kNibbleStep;
    int8_t* const high = low + kNibbleHalf;
    for (size_t i = 0; i < kNibbleHalf; ++i) {
      low[i] = static_cast<int8_t>(2 * (bytes[i] & 15) - 15);
      high[i] = static_cast<int8_t>(2 * (bytes[i] >> 4) - 15);
    }
  }
  return 0.5F;
}

}  // namespace

constexpr Coding kNibbleCoding = {.query_step = simd::kNibbleStep,
                                  .line_values = simd::kNibbleStep,
                                  .max_query = simd::kMaxNibbleQuery,
                                  .factor = 2,
                                  .offset = 15,
                                  .is_error_known = false,
                                  .is_rotated = true,
                                  .products = &simd::CodeKernels::nibble_products,
                                  .encode = EncodeNibbles,
                                  .decode = DecodeNibbles};

}  // namespace vettore
