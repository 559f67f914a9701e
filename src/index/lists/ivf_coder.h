// How the lists of an IVF index hold a vector: nothing but its row, or a code of its residual, its
// difference from its list's centroid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/checksummed_file.h"
#include "index/codes/product_quantizer.h"
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
// Immutable.
class IvfCoder {
 public:
  // Of kFlat.
  IvfCoder(Metric metric, size_t dim) : metric_(metric), dim_(dim) {}
  // residuals: (count, dim), a sample. The loop's status when it was stopped.
  static absl::StatusOr<IvfCoder> Train(const VectorConfig& config, const IvfConfig& ivf,
                                        std::span<const float> residuals, SharedLoop& loop);

  // Writes what was trained; Load() reads it for the same config. DataLoss, and the statuses of
  // writing.
  absl::Status Save(ChecksummedWriter& out) const;
  static absl::StatusOr<IvfCoder> Load(const VectorConfig& config, const IvfConfig& ivf,
                                       ChecksummedReader& in);

  bool has_codes() const { return quantizer_.has_value(); }
  // Of a row.
  size_t code_bytes() const { return has_codes() ? quantizer_->code_bytes() : 0; }
  size_t memory_bytes() const { return has_codes() ? quantizer_->memory_bytes() : 0; }

  // Puts the row behind those of `out`. vector, centroid: (dim).
  void Encode(Row row, const float* vector, const float* centroid, CodedRows& out) const;

  // Makes a query's tables; false when they overflow. Needs codes.
  bool Prepare(const float* query, PqTables& tables) const;

 private:
  const Metric metric_;
  const size_t dim_;
  std::optional<ProductQuantizer> quantizer_;
};

// The sub-spaces of a config that does not say: two dimensions each for kPq4, eight for kPq8, less
// where that does not divide.
size_t ChooseSubspaces(IvfEncoding encoding, size_t dim);

}  // namespace vettore
