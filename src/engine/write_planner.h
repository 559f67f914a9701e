// Decides what a write changes: which slots its points take, and which points its filter deletes.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "engine/shard.h"

namespace vettore {

// Plans the writes of one group, in order, on the state before the group. Two writes of a group
// must not touch the same id, and one with a filter must stand alone: no write of the group can
// then see another, except that their new points take different slots. Externally synchronised.
class WritePlanner {
 public:
  // `shard` must outlive it.
  explicit WritePlanner(const Shard& shard) : shard_(shard), next_(shard.applied.Get()) {}

  // Takes the points out of `write`. On an error nothing is planned and the next write takes the
  // same position.
  absl::StatusOr<PlannedWrite> Plan(PreparedWrite& write, int64_t unix_ms,
                                    const CancelToken& cancel);

 private:
  absl::Status PlanDeletes(PreparedWrite& write, const CancelToken& cancel, PlannedWrite& planned)
      ABSL_SHARED_LOCKS_REQUIRED(shard_.commit_gate, shard_.state_mutex);
  absl::Status PlanUpserts(PreparedWrite& write, PlannedWrite& planned)
      ABSL_SHARED_LOCKS_REQUIRED(shard_.commit_gate, shard_.state_mutex);
  // Sets what the payload indexes must forget: of each old payload the indexed fields.
  absl::Status ReadOldPayloads(const CancelToken& cancel, PlannedWrite& planned)
      ABSL_SHARED_LOCKS_REQUIRED(shard_.commit_gate, shard_.state_mutex);

  const Shard& shard_;
  Position next_;           // Of the last planned write.
  size_t slots_taken_ = 0;  // By the planned writes, of those that were unused.
};

// Writes the records of `write` and its op-log record into `batch`. vector_count: of the config.
void FillBatch(const PlannedWrite& write, size_t vector_count, ShardBatch& batch);

}  // namespace vettore
