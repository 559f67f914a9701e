// The matrix kernels against sums in double, on every instruction set of this machine.
#include "simd/matrix_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

namespace vettore::simd {
namespace {

struct Shape {
  size_t rows, depth, columns;
};

class MatrixKernelsTest : public testing::TestWithParam<const MatrixKernels*> {
 protected:
  std::vector<float> Random(size_t size) {
    std::vector<float> values(size);
    std::normal_distribution<float> normal;
    for (float& value : values) value = normal(random_);
    return values;
  }
  std::vector<float> Pack(const MatrixView& matrix) const {
    // What packing does not write would spoil every sum.
    std::vector<float> packed(matrix.depth * GetParam()->padded_columns(matrix.columns),
                              std::nanf(""));
    GetParam()->pack(matrix, packed.data());
    return packed;
  }

  // Strides are wider than the rows; what lies between them must stay.
  void Check(const Shape& shape, bool is_transposed, bool has_bias) {
    const size_t left_stride = shape.depth + 3;
    const size_t out_stride = shape.columns + 5;
    const std::vector<float> left = Random(shape.rows * left_stride);
    const std::vector<float> right = Random(shape.depth * shape.columns);
    const std::vector<float> bias = Random(shape.columns);
    const size_t depth_stride = is_transposed ? 1 : shape.columns;
    const size_t column_stride = is_transposed ? shape.depth : 1;
    const std::vector<float> packed =
        Pack({right.data(), depth_stride, column_stride, shape.depth, shape.columns});
    std::vector<float> out(shape.rows * out_stride, 77);
    GetParam()->multiply({.left = left.data(),
                          .left_stride = left_stride,
                          .rows = shape.rows,
                          .packed = packed.data(),
                          .depth = shape.depth,
                          .columns = shape.columns,
                          .bias = has_bias ? bias.data() : nullptr,
                          .out = out.data(),
                          .out_stride = out_stride});
    for (size_t r = 0; r < shape.rows; ++r) {
      for (size_t c = 0; c < shape.columns; ++c) {
        double sum = has_bias ? bias[c] : 0;
        double magnitude = std::abs(sum);
        for (size_t d = 0; d < shape.depth; ++d) {
          const double product = static_cast<double>(left[r * left_stride + d]) *
                                 right[d * depth_stride + c * column_stride];
          sum += product;
          magnitude += std::abs(product);
        }
        ASSERT_NEAR(out[r * out_stride + c], sum, 1e-6 * magnitude)
            << shape.rows << " x " << shape.depth << " x " << shape.columns << ", row " << r
            << ", column " << c;
      }
      for (size_t c = shape.columns; c < out_stride; ++c) ASSERT_EQ(out[r * out_stride + c], 77);
    }
  }

 private:
  std::mt19937 random_{11};
};

TEST_P(MatrixKernelsTest, TheirProductsAgreeWithDoubleAtEveryEdgeOfATile) {
  for (size_t rows = 1; rows <= 17; ++rows) {
    for (const size_t columns : {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 47, 48, 49, 97}) {
      Check({rows, 5, columns}, rows % 2 == 0, columns % 2 == 0);
    }
  }
}

TEST_P(MatrixKernelsTest, TheirProductsAgreeWithDoubleAtTheSizesOfModels) {
  Check({64, 384, 1152}, true, true);
  Check({10, 1536, 384}, true, true);
  Check({64, 32, 100}, true, false);
  Check({64, 100, 32}, false, false);
  Check({1, 1, 1}, false, true);
}

TEST_P(MatrixKernelsTest, WithoutDepthTheBiasIsAllThereIs) { Check({3, 0, 20}, false, true); }

INSTANTIATE_TEST_SUITE_P(EveryInstructionSet, MatrixKernelsTest,
                         testing::ValuesIn(AvailableMatrixKernels()), [](const auto& param) {
                           return std::string(NameOf(param.param->set));
                         });

}  // namespace
}  // namespace vettore::simd
