// A linear layer of an encoder: a matrix that is packed once, for every pass.
#pragma once

#include <cstddef>
#include <vector>

#include "embed/bert_weights.h"
#include "simd/matrix_kernels.h"

namespace vettore {

// Immutable.
class LinearLayer {
 public:
  explicit LinearLayer(LinearWeights weights);

  size_t inputs() const { return inputs_; }
  size_t outputs() const { return bias_.size(); }

  // output: (rows, outputs) = input W^T + bias. input: (rows, inputs)
  void Apply(size_t rows, const float* input, float* output) const;

 private:
  const simd::MatrixKernels& kernels_;
  const std::vector<float> bias_;
  const size_t inputs_;
  const std::vector<float> packed_;
};

}  // namespace vettore
