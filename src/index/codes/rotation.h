// A random rotation, cheap enough for every query.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "simd/code_kernels.h"

namespace vettore {

// Spreads a vector evenly over its dimensions, so that few levels code each of them well: random
// signs and Walsh-Hadamard transforms, twice, of the first and the last 2^n dimensions, which
// overlap unless they are all. Orthogonal: lengths and inner products stay. (After the fast
// Johnson-Lindenstrauss transform of Ailon & Chazelle, 2009.) Immutable.
class Rotation {
 public:
  // Equal seeds give equal rotations.
  Rotation(size_t dim, uint64_t seed);

  // values: (dim), rotated in place.
  void Apply(float* values) const;

 private:
  // Of the first and the last block: a sign for each dimension that meets its first transform, and
  // what keeps lengths.
  struct Round {
    std::vector<float> first;
    std::vector<float> last;  // Empty when one block is all.
  };

  const size_t dim_;
  const size_t block_;  // The largest power of two that is no larger than dim_.
  const simd::HadamardTransformFn transform_;
  std::array<Round, 2> rounds_;
};

}  // namespace vettore
