// Exact search for several queries in one pass over the vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "base/cancel.h"
#include "index/rows/row_store.h"
#include "index/top_k.h"
#include "index/vector_distance.h"
#include "types/slot_bitmap.h"

namespace vettore {

// As ScanSource, for queries of (dim) each.
struct BatchScanSource {
  const RowStore& rows;
  const VectorDistance& distance;
  std::span<const std::span<const float>> queries;
  uint64_t version;
};

// Vectors are read from memory once for all queries, a block at a time, and measured four queries
// by one row: the kernel of one to four with its parts exchanged, so that a distance has the bits
// that it has alone. Externally synchronised.
class ExactBatchScan {
 public:
  // Up to `k` (>= 1) for each query.
  ExactBatchScan(const BatchScanSource& source, size_t k);

  // Every row below `end`, or what the allowed slots hold when that is not null. Returns the cancel
  // token's status when that fires. Once.
  absl::Status Run(Row end, const SlotBitmap* allowed, const CancelToken& cancel);

  // Of query `i`, once.
  std::vector<Hit> TakeSorted(size_t i) { return tops_[i].TakeSorted(); }
  // Measured for each query.
  size_t distances() const { return distances_; }

 private:
  // Four queries that are measured side by side; the last may stand there more than once.
  struct Group {
    const float* queries[4];
    size_t first;
    size_t count;
  };

  absl::Status Offer(Row row, const CancelToken& cancel);
  absl::Status MeasureBlock(const CancelToken& cancel);

  const BatchScanSource source_;
  std::vector<TopK> tops_;
  std::vector<Group> groups_;
  const size_t block_rows_;
  std::vector<Row> block_;
  size_t distances_ = 0;
};

}  // namespace vettore
