// Makes the partition of an IVF index: trains, assigns all rows, and rewrites single lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "index/lists/ivf_coder.h"
#include "index/lists/ivf_list.h"
#include "index/lists/ivf_roster.h"
#include "index/rows/row_store.h"
#include "index/shared_loop.h"
#include "types/collection_config.h"

namespace vettore {

// Rows with their codes, and which list takes each.
struct AssignedRows {
  CodedRows coded = CodedRows(0);
  std::vector<uint32_t> list_of;
  double squared_residuals = 0;  // The sum of their squared distances from their centroids.
};

// All that it is given is borrowed for a call; the rows must not be released during it. Immutable.
class IvfBuilder {
 public:
  IvfBuilder(const VectorConfig& config, const IvfConfig& ivf, const RowStore& rows)
      : dim_(config.dimension), vector_(config), ivf_(ivf), rows_(rows) {}

  const IvfConfig& config() const { return ivf_; }
  // Of the lists of a coder.
  IvfListShape ShapeOf(const IvfCoder& coder) const {
    return {.code_bytes = coder.code_bytes(),
            .has_factors = coder.has_bounds(),
            .vectors = coder.has_codes() ? nullptr : &rows_};
  }

  struct Built {
    IvfPartition partition;
    double squared_residuals = 0;
  };
  // Trains on a sample of the rows and puts them all into `nlist` (>= 1) lists. The loop's
  // status when it was stopped.
  absl::StatusOr<Built> Build(std::span<const Row> rows, size_t nlist, SharedLoop& loop) const;

  AssignedRows Assign(const IvfPartition& partition, std::span<const Row> rows) const;

  // The table with the rows behind those of their lists.
  static std::shared_ptr<const IvfTable> Append(const IvfTable& table, const AssignedRows& rows);

  struct Rewritten {
    std::shared_ptr<const IvfTable> table;  // Null: nothing is to be gained.
    std::vector<Row> dropped;               // Dead rows that no list holds any more.
  };
  // A table whose list `due.list` has lost its dead rows and, when that is due, half of the others
  // to a new list at the end.
  Rewritten Rewrite(const IvfRoster::Due& due) const;

 private:
  std::vector<const float*> Sample(std::span<const Row> rows, size_t count) const;
  absl::StatusOr<IvfCoder> TrainCoder(std::span<const float* const> sample,
                                      const Centroids& centroids, SharedLoop& loop) const;
  bool Split(const IvfRoster::Due& due, const CodedRows& kept, IvfTable& table) const;

  const size_t dim_;
  const VectorConfig vector_;
  const IvfConfig ivf_;
  const RowStore& rows_;
};

}  // namespace vettore
