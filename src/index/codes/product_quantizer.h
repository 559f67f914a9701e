// Product quantization: a vector as one small number for each of its parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/checksummed_file.h"
#include "index/shared_loop.h"
#include "simd/pq_kernels.h"

namespace vettore {

// Jegou, Douze & Schmid (2011), "Product quantization for nearest neighbor search", section II. The
// k-means of each sub-space is our own. Immutable.
class ProductQuantizer {
 public:
  struct Shape {
    size_t dim = 0;
    size_t m = 0;     // Sub-spaces; divides dim.
    size_t ksub = 0;  // Codewords of each: 16 (4-bit codes) or 256.
  };

  // sample: (count, dim), row after row; at least one. Equal seeds and samples give equal
  // codewords. The loop's status when it was stopped.
  static absl::StatusOr<ProductQuantizer> Train(const Shape& shape, std::span<const float> sample,
                                                uint64_t seed, SharedLoop& loop);
  // With codewords that a few more rounds of k-means have moved. sample, seed: as Train() takes
  // them, perhaps others. The loop's status when it was stopped.
  absl::StatusOr<ProductQuantizer> Refined(std::span<const float> sample, uint64_t seed,
                                           SharedLoop& loop) const;
  // One bit a dimension: codes of 4 bits of four dimensions each, whose codewords are all signs of
  // 1/2. dim: a multiple of 4.
  static ProductQuantizer OfSigns(size_t dim);

  // Writes the codewords; Load() reads those of a shape. DataLoss, and the statuses of writing.
  absl::Status Save(ChecksummedWriter& out) const;
  static absl::StatusOr<ProductQuantizer> Load(const Shape& shape, ChecksummedReader& in);

  const Shape& shape() const { return shape_; }
  size_t dsub() const { return shape_.dim / shape_.m; }
  // 4-bit codes: two a byte, the first in the low half, padded with zeros to a multiple of two
  // bytes. 8-bit codes: one a byte.
  size_t code_bytes() const;

  // vector: (dim); code: (code_bytes()).
  void Encode(const float* vector, uint8_t* code) const;
  void Decode(const uint8_t* code, float* vector) const;

  simd::PqCodebook book() const {
    return {values_.data(), half_norms_.data(), shape_.m, dsub(), shape_.ksub};
  }
  size_t memory_bytes() const { return (values_.size() + half_norms_.size()) * sizeof(float); }

 private:
  friend class PartTraining;
  explicit ProductQuantizer(const Shape& shape)
      : shape_(shape), values_(shape.dim * shape.ksub), half_norms_(shape.m * shape.ksub) {}

  bool uses_nibbles() const { return shape_.ksub == 16; }

  Shape shape_;
  std::vector<float> values_;      // (m, dsub, ksub)
  std::vector<float> half_norms_;  // (m, ksub)
};

// A query's inner products with every codeword, times a factor, as the scanning kernels read them.
// Externally synchronised.
class PqTables {
 public:
  // False when the products overflow. query: (dim).
  bool Prepare(const ProductQuantizer& quantizer, const float* query, float factor);

  // A mask of the rows of a block whose estimate (see simd::PqLimit) is at most the limit. out:
  // (32), set where the mask is not zero. The 4-bit tables are rounded: an estimate is off by up to
  // m / 2 units, times the row's factor.
  uint32_t Scan(const simd::PqBlock& block, const simd::PqLimit& limit, float* out) const;
  // To which the tables are rounded; 0 for 8-bit codes, whose tables are not.
  float unit() const { return uses_nibbles_ ? scale_ : 0; }
  // The variance of a sum of products that the rounding makes, of which each part is as likely as
  // the next.
  float rounding_variance() const { return unit() * unit() * static_cast<float>(m_) / 12; }

 private:
  bool Quantize(size_t m);

  const simd::PqKernels& kernels_ = simd::ActivePq();
  size_t m_ = 0;
  bool uses_nibbles_ = false;
  std::vector<float> products_;  // (m, ksub)
  std::vector<uint8_t> bytes_;   // Of 4-bit codes; see simd::Pq4Tables.
  float scale_ = 1;
  float base_ = 0;  // The smallest entries of all tables, which the bytes leave out.
};

}  // namespace vettore
