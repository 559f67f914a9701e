// Generated data sets: clustered vectors of a low intrinsic dimension, the same on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "bench/matrix.h"

namespace vettore::bench {

// A point is normalise(map * (centre + sigma * g) + noise * h), with g and h standard Gaussian.
struct SyntheticRecipe {
  std::string_view name = {};
  size_t count = 0;
  size_t dim = 0;
  size_t centres = 0;
  size_t latent_dim = 0;  // Of the centres; the map takes it to `dim`.
  uint64_t seed = 0;
  double sigma = 1.1;  // Within a cluster.
  double noise = 0.3;  // In each of the `dim` dimensions.
};

// synth384 (200,000 x 384), synth1m (1,000,000 x 128) and synth768 (200,000 x 768).
std::span<const SyntheticRecipe> SyntheticRecipes();
// Null when there is none of that name.
const SyntheticRecipe* FindSyntheticRecipe(std::string_view name);

struct SyntheticData {
  Matrix<float> base;     // (count, dim), unit length
  Matrix<float> queries;  // Drawn after the base from the same clusters.
};
SyntheticData Generate(const SyntheticRecipe& recipe, size_t queries);

}  // namespace vettore::bench
