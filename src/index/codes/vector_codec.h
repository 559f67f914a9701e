// Scalar quantization: codes of vectors, and distances between a query and codes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "index/codes/coding.h"
#include "index/codes/rotation.h"
#include "simd/code_kernels.h"
#include "types/metric.h"
#include "types/quantization.h"

namespace vettore {

// A vector as it is measured against codes. Externally synchronised.
struct CodedQuery {
  std::vector<int8_t> values;  // (code_dim)
  float scale = 0;
  float squared_norm = 0;          // Of the vector less the centre.
  int32_t offset = 0;              // To be taken from an inner product with a code.
  std::vector<float> transformed;  // (dim): less the centre, and rotated; of vectors only.
};

// Each vector has its own scale. Under L2 and cosine the mean of a sample is taken away first,
// which moves no distance and leaves less to code; the vector is rotated where its coding wants it.
// The distance that codes give is squared L2, or the negated inner product; a cosine index's
// vectors have unit length, so that squared L2 orders them too. Immutable, thread-safe.
class VectorCodec {
 public:
  // quantization: one that has codes. sample: vectors of (dim), of which the centre is the mean;
  // may be empty.
  VectorCodec(Quantization quantization, Metric metric, size_t dim,
              std::span<const float* const> sample);

  // What it learned from its sample.
  struct Learned {
    uint64_t sampled = 0;
    float relative_error = 0;        // Of an inner product; see MeasureError(). 0: it is known.
    std::vector<float> centre = {};  // (dim)
  };
  VectorCodec(Quantization quantization, Metric metric, size_t dim, Learned learned);
  const Learned& learned() const { return learned_; }
  Quantization quantization() const { return quantization_; }

  size_t code_bytes() const { return code_bytes_; }  // A multiple of 64.
  // Of one vector, with its factors.
  static size_t RowBytes(Quantization quantization, size_t dim);
  // Whether codes are fine enough to be measured against each other.
  bool compares_codes() const { return coding_.decode != nullptr; }

  // vector: (dim).
  void Prepare(const float* vector, CodedQuery& query) const;
  // The code of the vector that `query` was prepared of. code: (code_bytes).
  CodeFactors Encode(const CodedQuery& query, uint8_t* code) const;
  // Of a coded vector. Only where compares_codes().
  void Prepare(const uint8_t* code, const CodeFactors& factors, CodedQuery& query) const;

  // Of one call of Distances(): `count` codes and their factors, and room for their products.
  struct Batch {
    size_t count;
    const uint8_t* const* codes;
    const CodeFactors* factors;
    int32_t* products;
  };
  // out: (count).
  void Distances(const CodedQuery& query, const Batch& batch, float* out) const;
  // The same in terms of the index's metric.
  float MetricDistance(float distance) const {
    return metric_ == Metric::kCosine ? distance / 2 - 1 : distance;
  }
  // How far MetricDistance() is off: one standard deviation. distance: as Distances() gave it.
  float ErrorOf(const CodedQuery& query, const CodeFactors& factors, float distance) const {
    // A squared L2 distance holds the inner product twice, half a squared L2 distance once.
    const float products = metric_ == Metric::kL2 ? 2 : 1;
    const float of_code = error_.of_squared_scale * factors.scale * factors.scale +
                          error_.of_squared_norm * factors.squared_norm;
    const float variance = query.squared_norm * std::max(of_code, 0.0F);
    if (!coding_.is_error_known) return products * std::sqrt(variance);
    // Along the coded vector codes are right: what is off is their product with the rest of the
    // query. How long that is they tell with the same error.
    const float inner =
        is_l2_ ? (query.squared_norm + factors.squared_norm - distance) / 2 : -distance;
    const float lengths = query.squared_norm * factors.squared_norm;
    const float rest =
        lengths > 0 ? std::max(1 - inner * inner / lengths, 0.0F) + variance / lengths : 1;
    return products * std::sqrt(variance * rest);
  }

 private:
  // Less the centre, and rotated. out: (dim); returns the squared length.
  float Transform(const float* vector, float* out) const;
  // Of a code's inner product with a query.
  static float Inner(const CodedQuery& query, const CodeFactors& factors, int32_t centred) {
    return query.scale * factors.scale * static_cast<float>(centred);
  }
  // The standard deviation of a coded inner product, as a share of the product of both lengths;
  // measured on pairs of the sample.
  float MeasureError(std::span<const float* const> sample) const;

  // The variance of a coded inner product, over the query's squared length, is a sum of so much of
  // the code's squared scale and of its vector's squared length.
  struct Error {
    float of_squared_scale = 0;
    float of_squared_norm = 0;
  };
  Error ErrorOfCoding() const;

  const Quantization quantization_;
  const Metric metric_;
  const bool is_l2_;
  const Coding& coding_;
  const size_t dim_;
  const size_t query_dim_;  // With its padding.
  const size_t code_bytes_;
  const simd::CodeKernels& kernels_;
  const simd::CodeProductsFn products_;
  const int32_t product_factor_;
  Learned learned_;
  Error error_;
  std::optional<Rotation> rotation_;
};

}  // namespace vettore
