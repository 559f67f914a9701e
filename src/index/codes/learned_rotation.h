// A rotation that is learned together with a product quantizer, so that its parts code more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "base/checksummed_file.h"
#include "index/codes/product_quantizer.h"
#include "index/shared_loop.h"

namespace vettore {

// OPQ: Ge, He, Ke & Sun (2013), "Optimized product quantization". Orthogonal: lengths and inner
// products stay. Immutable.
class LearnedRotation {
 public:
  // values: (count, dim) in rows; out: the same shape, elsewhere. Each row's result has the same
  // bits whatever is rotated beside it.
  void Apply(std::span<const float> values, float* out) const;

  // Writes the matrix; Load() reads one of a dimension. DataLoss, and the statuses of writing.
  absl::Status Save(ChecksummedWriter& out) const;
  static absl::StatusOr<LearnedRotation> Load(size_t dim, ChecksummedReader& in);

  size_t memory_bytes() const { return matrix_.size() * sizeof(float); }

 private:
  friend class RotationTraining;
  explicit LearnedRotation(size_t dim) : dim_(dim), matrix_(dim * dim) {}

  size_t dim_;
  std::vector<float> matrix_;  // (dim, dim): a row for each dimension of what comes out.
};

struct RotatedQuantizer {
  LearnedRotation rotation;
  ProductQuantizer quantizer;  // Of rotated vectors.
};

// Starts with the principal directions, dealt out to the sub-spaces so that the variances in each
// multiply to about the same (section 3.2.3); from there on turns between the rotation and the
// codewords, each the best for the other (section 3.1). sample: (count, dim), at least one. Equal
// seeds and samples give equal results. The loop's status when it was stopped.
absl::StatusOr<RotatedQuantizer> TrainRotatedQuantizer(const ProductQuantizer::Shape& shape,
                                                       std::span<const float> sample, uint64_t seed,
                                                       SharedLoop& loop);

}  // namespace vettore
