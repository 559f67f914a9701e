// The distances in double precision, with how far single precision may be from them.
#pragma once

#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

namespace vettore::simd {

struct Reference {
  double l2_squared = 0;
  double inner_product = 0;
  double l1 = 0;
  double l2_tolerance = 0;
  double inner_product_tolerance = 0;
  double l1_tolerance = 0;
};

inline Reference ReferenceOf(const float* a, const float* b, size_t dim) {
  Reference reference;
  double magnitude = 0;
  for (size_t i = 0; i < dim; ++i) {
    const double difference = static_cast<double>(a[i]) - b[i];
    const double product = static_cast<double>(a[i]) * b[i];
    reference.l2_squared += difference * difference;
    reference.inner_product += product;
    reference.l1 += std::abs(difference);
    magnitude += std::abs(product);
  }
  // The rounding of a sum grows with the terms' magnitudes; a lost lane is far outside either
  // bound.
  reference.l2_tolerance = 1e-5 * reference.l2_squared + 1e-30;
  reference.inner_product_tolerance = 1e-5 * magnitude + 1e-30;
  reference.l1_tolerance = 1e-5 * reference.l1 + 1e-30;
  return reference;
}

// Every length that a tail can have at sixteen lanes and four accumulators, some at 64, and those
// of real models.
inline std::vector<size_t> TestedLengths() {
  std::vector<size_t> lengths;
  for (size_t dim = 0; dim <= 200; ++dim) lengths.push_back(dim);
  lengths.insert(lengths.end(), {255, 256, 257, 384, 511, 768, 1000, 1536, 4097});
  return lengths;
}

inline std::vector<float> RandomVector(size_t dim, std::mt19937& random) {
  std::uniform_real_distribution<float> value(0.5F, 2.0F);
  std::bernoulli_distribution negative(0.5);
  std::vector<float> vector(dim);
  for (float& entry : vector) entry = negative(random) ? -value(random) : value(random);
  return vector;
}

}  // namespace vettore::simd
