// The signs and the transforms of the rotation.
#include "index/codes/rotation.h"

#include <bit>
#include <cmath>
#include <random>

namespace vettore {

Rotation::Rotation(size_t dim, uint64_t seed)
    : dim_(dim),
      block_(std::bit_floor(dim)),
      transform_(simd::ActiveCodeKernels().hadamard_transform) {
  // A transform multiplies lengths by the inverse of it.
  const float scale = 1 / std::sqrt(static_cast<float>(block_));
  std::mt19937_64 random(seed);
  const auto sign = [&] { return (random() & 1) == 0 ? scale : -scale; };
  for (Round& round : rounds_) {
    round.first.resize(block_);
    for (float& factor : round.first) factor = sign();
    if (block_ == dim_) continue;
    round.last.assign(block_, scale);
    for (size_t i = 2 * block_ - dim_; i < block_; ++i) round.last[i] = sign();
  }
}

void Rotation::Apply(float* values) const {
  for (const Round& round : rounds_) {
    transform_(values, round.first.data(), block_);
    if (block_ < dim_) transform_(values + (dim_ - block_), round.last.data(), block_);
  }
}

}  // namespace vettore
