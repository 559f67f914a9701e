// Scaled dot-product attention of one sequence, head by head.
#pragma once

#include <cstddef>
#include <vector>

#include "embed/vector_math.h"
#include "simd/matrix_kernels.h"

namespace vettore {

// Vaswani et al. (2017). Externally synchronised: it keeps what a head packs.
class SelfAttention {
 public:
  // longest: of the sequences, in tokens.
  SelfAttention(size_t hidden, size_t heads, size_t longest);

  // query_key_value: (length, 3 hidden): the three of each token side by side; context: (length,
  // hidden).
  void Attend(size_t length, const float* query_key_value, float* context);

 private:
  // Queries whose scores are in the second level of the cache together.
  static constexpr size_t kQueries = 64;

  void AttendHead(size_t length, const float* query, float* context);

  const simd::MatrixKernels& kernels_;
  const VectorMath& math_;
  const size_t hidden_;
  const size_t head_size_;
  std::vector<float> keys_;    // (head_size, length), packed
  std::vector<float> values_;  // (length, head_size), packed
  std::vector<float> scores_;  // (kQueries, length)
};

}  // namespace vettore
