#include "embed/linear_layer.h"

#include <utility>

namespace vettore {
namespace {

// Of the transpose: an input is a row of what is packed.
std::vector<float> Pack(const simd::MatrixKernels& kernels, const std::vector<float>& weight,
                        size_t inputs, size_t outputs) {
  std::vector<float> packed(inputs * kernels.padded_columns(outputs));
  kernels.pack({.values = weight.data(),
                .depth_stride = 1,
                .column_stride = inputs,
                .depth = inputs,
                .columns = outputs},
               packed.data());
  return packed;
}

}  // namespace

LinearLayer::LinearLayer(LinearWeights weights)
    : kernels_(simd::ActiveMatrixKernels()),
      bias_(std::move(weights.bias)),
      inputs_(weights.weight.size() / bias_.size()),
      packed_(Pack(kernels_, weights.weight, inputs_, bias_.size())) {}

void LinearLayer::Apply(size_t rows, const float* input, float* output) const {
  kernels_.multiply({.left = input,
                     .left_stride = inputs_,
                     .rows = rows,
                     .packed = packed_.data(),
                     .depth = inputs_,
                     .columns = outputs(),
                     .bias = bias_.data(),
                     .out = output,
                     .out_stride = outputs()});
}

}  // namespace vettore
