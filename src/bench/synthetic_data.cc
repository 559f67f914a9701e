#include "bench/synthetic_data.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <vector>

namespace vettore::bench {
namespace {

// The first two have the sizes, seeds and clusters of the measurements that the project's targets
// come from. synth768 is ours: synth384's clusters in twice the dimensions, so that the two differ
// in the bytes of a vector alone.
constexpr std::array kRecipes = {
    SyntheticRecipe{.name = "synth384",
                    .count = 200'000,
                    .dim = 384,
                    .centres = 500,
                    .latent_dim = 48,
                    .seed = 20240},
    SyntheticRecipe{.name = "synth1m",
                    .count = 1'000'000,
                    .dim = 128,
                    .centres = 2'000,
                    .latent_dim = 32,
                    .seed = 777},
    SyntheticRecipe{.name = "synth768",
                    .count = 200'000,
                    .dim = 768,
                    .centres = 500,
                    .latent_dim = 48,
                    .seed = 20240},
};

// xoshiro256** of Blackman & Vigna (2018), its state filled by their splitmix64 from the seed.
class Xoshiro {
 public:
  explicit Xoshiro(uint64_t seed) {
    for (uint64_t& word : state_) {
      seed += 0x9E3779B97F4A7C15;
      uint64_t mixed = (seed ^ seed >> 30) * 0xBF58476D1CE4E5B9;
      mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
      word = mixed ^ mixed >> 31;
    }
  }

  // In [0, 1), of 53 random bits.
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

  // Standard normal, by Marsaglia's polar method (1964): two at a time.
  double Gaussian() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    double x = 0;
    double y = 0;
    double square = 0;
    do {
      x = 2 * Uniform() - 1;
      y = 2 * Uniform() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square == 0);
    const double scale = std::sqrt(-2 * std::log(square) / square);
    spare_ = y * scale;
    has_spare_ = true;
    return x * scale;
  }

 private:
  uint64_t Next() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  std::array<uint64_t, 4> state_{};
  double spare_ = 0;
  bool has_spare_ = false;
};

// The description of the sets leaves open in which order the numbers are drawn, and how the centres
// are spread. Here: the map row by row, the centres (standard Gaussian), then for each vector its
// cluster, its place in it, its noise; first the base, then the queries.
class Generator {
 public:
  explicit Generator(const SyntheticRecipe& recipe) : recipe_(recipe), random_(recipe.seed) {
    map_.resize(recipe.latent_dim * recipe.dim);
    const double scale = 1 / std::sqrt(static_cast<double>(recipe.latent_dim));
    for (float& entry : map_) entry = static_cast<float>(scale * random_.Gaussian());
    centres_.resize(recipe.centres * recipe.latent_dim);
    for (double& entry : centres_) entry = random_.Gaussian();
    double sum = 0;
    for (size_t i = 0; i < recipe.centres; ++i) {
      sum += 1 / static_cast<double>(i + 10);
      weights_.push_back(sum);
    }
  }

  Matrix<float> Draw(size_t count) {
    Matrix<float> out{
        .values = std::vector<float>(count * recipe_.dim), .count = count, .dim = recipe_.dim};
    for (size_t i = 0; i < count; ++i) DrawInto({out.values.data() + i * out.dim, out.dim});
    return out;
  }

 private:
  // The cumulated weights, searched for a uniform number.
  size_t Cluster() {
    const double at = random_.Uniform() * weights_.back();
    const auto found = std::upper_bound(weights_.begin(), weights_.end(), at);
    return std::min(static_cast<size_t>(found - weights_.begin()), weights_.size() - 1);
  }

  void DrawInto(std::span<float> out) {
    const double* const centre = centres_.data() + Cluster() * recipe_.latent_dim;
    std::fill(out.begin(), out.end(), 0.0F);
    for (size_t i = 0; i < recipe_.latent_dim; ++i) {
      const auto place = static_cast<float>(centre[i] + recipe_.sigma * random_.Gaussian());
      const float* const direction = map_.data() + i * recipe_.dim;
      for (size_t d = 0; d < out.size(); ++d) out[d] += place * direction[d];
    }
    double square = 0;
    for (float& entry : out) {
      entry += static_cast<float>(recipe_.noise * random_.Gaussian());
      square += static_cast<double>(entry) * static_cast<double>(entry);
    }
    const auto scale = static_cast<float>(1 / std::sqrt(square));
    for (float& entry : out) entry *= scale;
  }

  const SyntheticRecipe& recipe_;
  Xoshiro random_;
  std::vector<float> map_;       // (latent_dim, dim)
  std::vector<double> centres_;  // (centres, latent_dim)
  std::vector<double> weights_;  // (centres), cumulated
};

}  // namespace

std::span<const SyntheticRecipe> SyntheticRecipes() { return kRecipes; }

const SyntheticRecipe* FindSyntheticRecipe(std::string_view name) {
  const auto* const found = std::find_if(kRecipes.begin(), kRecipes.end(),
                                         [&](const auto& recipe) { return recipe.name == name; });
  return found == kRecipes.end() ? nullptr : found;
}

SyntheticData Generate(const SyntheticRecipe& recipe, size_t queries) {
  Generator generator(recipe);
  SyntheticData data;
  data.base = generator.Draw(recipe.count);
  data.queries = generator.Draw(queries);
  return data;
}

}  // namespace vettore::bench
