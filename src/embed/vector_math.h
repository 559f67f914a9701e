// What a transformer does besides matrix products: layer norm, GELU, softmax; chosen by instruction
// set at run time.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace vettore {

// gain, shift: (dim), borrowed.
struct LayerNormView {
  const float* gain;
  const float* shift;
  float epsilon;
};

// Results of two instruction sets differ by rounding only.
struct VectorMath {
  std::string_view name;  // "baseline", "avx2", "avx512"

  // out: (dim) = gain * (x - mean(x)) / sqrt(variance(x) + epsilon) + shift, where x = a + b. May
  // write over a or b.
  void (*add_layer_norm)(const float* a, const float* b, size_t dim, const LayerNormView& norm,
                         float* out);
  // x: (dim). In place: GELU(x + bias), with the exact error function (within 1e-6).
  void (*add_bias_gelu)(const float* bias, size_t dim, float* x);
  // x: (dim). In place: x + bias.
  void (*add_bias)(const float* bias, size_t dim, float* x);
  // x: (size); size > 0. In place: exp(x) over its sum.
  void (*softmax)(size_t size, float* x);
};

// For the instruction set of simd::Active(). Constant.
const VectorMath& ActiveVectorMath();
// Every table that this machine runs.
std::vector<const VectorMath*> AvailableVectorMath();

}  // namespace vettore
