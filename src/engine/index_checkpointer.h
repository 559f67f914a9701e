// Keeps the checkpoints of a shard's indexes young enough that opening them again builds little.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "engine/shard.h"

namespace vettore {

// Thread-safe.
class IndexCheckpointer {
 public:
  // `shard` must outlive it.
  explicit IndexCheckpointer(Shard& shard);

  enum class When {
    kServing,  // What has changed must be worth interrupting the building of the graph for.
    kClosing,  // It must be worth a moment of whoever waits for the end.
  };
  // Writes a checkpoint of each index that has changed enough. What fails is logged and tried again
  // by the next call. Throws nothing.
  void WriteWhatIsDue(When when) ABSL_LOCKS_EXCLUDED(mutex_);

  // Writes none from now on; returns once none is under way.
  void Close() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // Of an index, at its last checkpoint (or at the start).
  struct Covered {
    uint64_t taken = 0;  // Vectors that the graph had taken.
    uint64_t seq = 0;    // Of the position.
  };
  static bool IsDue(When when, const IndexStats& stats, uint64_t seq, const Covered& covered);
  absl::Status WriteOne(size_t ordinal, const IndexStats& stats)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Shard& shard_;

  // Held while a checkpoint is written, over disk: nobody else waits for it but Close().
  absl::Mutex mutex_ ABSL_ACQUIRED_BEFORE(shard_.commit_gate);
  bool is_closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Covered> covered_ ABSL_GUARDED_BY(mutex_);  // By ordinal.
};

}  // namespace vettore
