// How the lists of an IVF index hold a vector: nothing but its row, or a code of its residual, its
// difference from its list's centroid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/checksummed_file.h"
#include "index/codes/learned_rotation.h"
#include "index/codes/product_quantizer.h"
#include "index/codes/rotation.h"
#include "index/lists/ivf_list.h"
#include "index/rows/row_store.h"
#include "index/shared_loop.h"
#include "types/collection_config.h"
#include "types/metric.h"

namespace vettore {

// With q the query, c the centroid, r the residual and r' its code, an estimated distance is
//   L2:      |q - c|^2 + (|r|^2 + 2 <c, r'>)      - 2 <q, r'>
//   cosine:  -<q, c>   + (-<c, r - r'>)           - <q, r'>
//   inner product:  -<q, c>                       - <q, r'>
// The first term belongs to the list, the second (the bias) to the row, and only the last one takes
// tables, which serve all lists. In the first two the code's error counts only along q - c: what is
// known exactly of the row is in its bias.
//
// With one bit a value, r' is a factor of the row times the signs of the rotated residual (RaBitQ;
// Gao & Long, 2024): the factor makes <r, r'> right, and how far <q - c, r'> may be off is known.
// Immutable.
class IvfCoder {
 public:
  // Of kFlat.
  IvfCoder(Metric metric, size_t dim) : metric_(metric), dim_(dim) {}
  // residuals: (count, dim), a sample; of kFlat and kRaBitQ it may be empty. The loop's status when
  // it was stopped.
  static absl::StatusOr<IvfCoder> Train(const VectorConfig& config, const IvfConfig& ivf,
                                        std::span<const float> residuals, SharedLoop& loop);
  // Whether there is anything to train.
  static bool IsTrained(IvfEncoding encoding) {
    return encoding == IvfEncoding::kPq4 || encoding == IvfEncoding::kPq8;
  }

  // Writes what was trained; Load() reads it for the same config. DataLoss, and the statuses of
  // writing.
  absl::Status Save(ChecksummedWriter& out) const;
  static absl::StatusOr<IvfCoder> Load(const VectorConfig& config, const IvfConfig& ivf,
                                       ChecksummedReader& in);

  bool has_codes() const { return quantizer_.has_value(); }
  // Whether a code has a factor, and estimates have bounds.
  bool has_bounds() const { return random_rotation_.has_value(); }
  // Of a row, without its factor.
  size_t code_bytes() const { return has_codes() ? quantizer_->code_bytes() : 0; }
  size_t memory_bytes() const {
    return (has_codes() ? quantizer_->memory_bytes() : 0) +
           (learned_rotation_.has_value() ? learned_rotation_->memory_bytes() : 0);
  }

  // A row and where it goes. vector, centroid: (dim), borrowed.
  struct Placed {
    Row row;
    const float* vector;
    const float* centroid;
  };
  // Puts the rows behind those of `out`.
  void Encode(std::span<const Placed> rows, CodedRows& out) const;

  // Makes a query's tables; false when they overflow. Needs codes.
  bool Prepare(const float* query, PqTables& tables) const;
  // How far the sum of a row's products is off, before its factor: one standard deviation.
  // squared_norm: of the part of the query along which codes have errors, |q - c|^2, or of inner
  // products |q|^2. Needs bounds.
  float ErrorOf(const PqTables& tables, float squared_norm) const;

 private:
  static IvfCoder OfSigns(const VectorConfig& config);
  // What the quantizer takes: dimensions, and zeros up to whole codes.
  size_t width() const { return quantizer_->shape().dim; }
  // values: (count, width()), rotated in place.
  void Rotate(std::vector<float>& values) const;
  void EncodeTogether(std::span<const Placed> rows, CodedRows& out) const;
  // residual, centre: (width()), rotated.
  void EncodeRotated(std::span<const float> residual, std::span<const float> centre,
                     CodedRows& out) const;
  // Of the metric's inner products in an estimate.
  float weight() const { return metric_ == Metric::kL2 ? -2.0F : -1.0F; }

  const Metric metric_;
  const size_t dim_;
  std::optional<ProductQuantizer> quantizer_;
  std::optional<Rotation> random_rotation_;          // Of one bit a value.
  std::optional<LearnedRotation> learned_rotation_;  // Of OPQ.
};

// The sub-spaces of a config that does not say: two dimensions each for kPq4, eight for kPq8, less
// where that does not divide.
size_t ChooseSubspaces(IvfEncoding encoding, size_t dim);

}  // namespace vettore
