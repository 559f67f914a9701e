// Scalar quantization: codes of vectors, and distances between a query and codes.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "index/codes/rotation.h"
#include "simd/code_kernels.h"
#include "types/metric.h"
#include "types/quantization.h"

namespace vettore {

// What kAuto stands for. Never kAuto.
Quantization ResolveQuantization(Quantization wanted, size_t dim);

// Beside a code: the vector is about scale times the code, of which the offset was taken.
struct CodeFactors {
  float scale;
  float squared_norm;  // Of the vector less the centre, before it was coded.
};

// A vector as it is measured against codes. Externally synchronised.
struct CodedQuery {
  std::vector<int8_t> values;  // (code_dim)
  float scale = 0;
  float squared_norm = 0;          // Of the vector less the centre.
  int32_t offset = 0;              // To be taken from an inner product with a code.
  std::vector<float> transformed;  // (dim): less the centre, and rotated; of vectors only.
};

// Each vector has its own scale. Under L2 and cosine the mean of a sample is taken away first,
// which moves no distance and leaves less to code; codes of 4 bits are of the rotated vector, whose
// scale is chosen for the smallest angle and corrected so that inner products are right on average
// (as in RaBitQ; Gao & Long, 2024, and Gao et al., 2025). The distance that codes give is squared
// L2, or the negated inner product; a cosine index's vectors have unit length, so that squared L2
// orders them too. Immutable, thread-safe.
class VectorCodec {
 public:
  // quantization: kSq8 or kSq4. sample: vectors of (dim), of which the centre is the mean; may be
  // empty.
  VectorCodec(Quantization quantization, Metric metric, size_t dim,
              std::span<const float* const> sample);

  // What it learned from its sample.
  struct Learned {
    uint64_t sampled = 0;
    float relative_error = 0;        // Of an inner product; see MeasureError().
    std::vector<float> centre = {};  // (dim)
  };
  VectorCodec(Quantization quantization, Metric metric, size_t dim, Learned learned);
  const Learned& learned() const { return learned_; }

  size_t code_bytes() const { return code_bytes_; }  // A multiple of 64.

  // vector: (dim).
  void Prepare(const float* vector, CodedQuery& query) const;
  // The code of the vector that `query` was prepared of. code: (code_bytes).
  CodeFactors Encode(const CodedQuery& query, uint8_t* code) const;
  // Of a coded vector.
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
  // How far MetricDistance() is off: one standard deviation.
  float ErrorOf(const CodedQuery& query, const CodeFactors& factors) const {
    // A squared L2 distance holds the inner product twice, half a squared L2 distance once.
    const float products = metric_ == Metric::kL2 ? 2 : 1;
    return products * learned_.relative_error *
           std::sqrt(query.squared_norm * factors.squared_norm);
  }

 private:
  // Less the centre, and rotated. out: (dim); returns the squared length.
  float Transform(const float* vector, float* out) const;
  CodeFactors EncodeBytes(const float* values, float squared_norm, uint8_t* code) const;
  CodeFactors EncodeNibbles(const float* values, float squared_norm, uint8_t* code) const;
  // Of a code's inner product with a query.
  static float Inner(const CodedQuery& query, const CodeFactors& factors, int32_t centred) {
    return query.scale * factors.scale * static_cast<float>(centred);
  }
  // The standard deviation of a coded inner product, as a share of the product of both lengths;
  // measured on pairs of the sample.
  float MeasureError(std::span<const float* const> sample) const;

  const Metric metric_;
  const bool is_l2_;
  const bool is_nibbles_;
  const size_t dim_;
  const size_t code_dim_;  // Values of a code with its padding.
  const size_t code_bytes_;
  const simd::CodeKernels& kernels_;
  const simd::CodeProductsFn products_;
  // A code's offset may be half an integer: products are doubled then.
  const int32_t product_factor_;
  Learned learned_;
  std::optional<Rotation> rotation_;
};

}  // namespace vettore
