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
  // x: (size). In place: GELU(x), with the exact error function (within 1e-6).
  void (*gelu)(size_t size, float* x);
  // x: (dim). In place: x + y.
  void (*add)(const float* y, size_t dim, float* x);
  // x: (size); size > 0, scale > 0. In place: exp(scale x) over its sum.
  void (*softmax)(float scale, size_t size, float* x);
};

// For the instruction set of simd::Active(). Constant.
const VectorMath& ActiveVectorMath();
// Every table that this machine runs.
std::vector<const VectorMath*> AvailableVectorMath();

}  // namespace vettore
