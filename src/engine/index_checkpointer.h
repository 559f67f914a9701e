// Keeps the checkpoints of a shard's indexes young enough that opening them again builds little.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
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
  Shard& shard_;

  // Held while a checkpoint is written, over disk: nobody else waits for it but Close().
  absl::Mutex mutex_ ABSL_ACQUIRED_BEFORE(shard_.commit_gate);
  bool is_closed_ ABSL_GUARDED_BY(mutex_) = false;
  // By ordinal: how many vectors the graph had taken at the last checkpoint.
  std::vector<uint64_t> covered_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace vettore
