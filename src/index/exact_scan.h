// Exact search: every visible vector is measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "base/cancel.h"
#include "index/rows/row_store.h"
#include "index/top_k.h"
#include "index/vector_distance.h"
#include "types/slot_bitmap.h"

namespace vettore {

// What a scan reads; all are borrowed for its life, and the caller holds an era that began no later
// than `version`.
struct ScanSource {
  const RowStore& rows;
  const VectorDistance& distance;
  const float* query;  // (dim)
  uint64_t version;    // The scan sees the rows of this version.
};

// One search's scans into one top k. Externally synchronised.
class ExactScan {
 public:
  ExactScan(const ScanSource& source, TopK& top) : source_(source), top_(top) {}

  // Each returns the cancel token's status when that fires.

  // Every row below `end`.
  absl::Status All(Row end, const CancelToken& cancel);
  // What the allowed slots hold.
  absl::Status Slots(const SlotBitmap& allowed, const CancelToken& cancel);
  // These rows, whatever the version.
  void Rows(std::span<const Row> rows);
  // These rows; of them those whose slot is allowed, unless `allowed` is null.
  absl::Status Rows(std::span<const Row> rows, const SlotBitmap* allowed,
                    const CancelToken& cancel);

  // Measured so far.
  size_t distances() const { return distances_; }

 private:
  bool IsVisible(Row row) const { return source_.rows.IsVisibleAt(row, source_.version); }
  void Offer(Row row);
  void Flush();
  void Push(Row row, float distance) {
    if (distance <= top_.threshold()) {
      top_.Push({{source_.rows.slot(row), distance}, row});
    }
  }

  const ScanSource source_;
  TopK& top_;
  size_t distances_ = 0;
  // Rows that wait for the one-to-four kernel.
  Row waiting_[4] = {};
  size_t waiting_count_ = 0;
};

}  // namespace vettore
