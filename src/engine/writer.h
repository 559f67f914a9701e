// The one writer of a shard: many callers' writes are committed to the store as groups, then
// applied in order.
#pragma once

#include <deque>
#include <functional>
#include <span>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/cancel.h"
#include "engine/shard.h"

namespace vettore {

// The caller at the head of the queue leads: it takes what has queued up, commits it at once,
// applies it, and wakes the others. While it does, the next group queues up, so that the slower the
// disk, the larger the groups. Thread-safe.
class Writer {
 public:
  // `shard` must outlive it.
  Writer(Shard& shard, std::function<absl::Time()> clock)
      : shard_(shard), clock_(std::move(clock)), durable_seq_(shard.applied.Get().seq) {}

  // Returns once the write is applied and, if asked for, durable. When `cancel` fires before the
  // write has left the queue, nothing has changed; later it is completed. Any error: nothing has
  // changed in memory.
  absl::StatusOr<WriteResult> Write(PreparedWrite write, const CancelToken& cancel)
      ABSL_LOCKS_EXCLUDED(queue_mutex_);

  // Ends what is queued, and what comes later, with `reason`. Returns once no write is under way.
  void Close(const absl::Status& reason) ABSL_LOCKS_EXCLUDED(queue_mutex_);

 private:
  enum class Stage { kQueued, kTaken, kDone };
  struct Pending {
    Pending(PreparedWrite prepared, const CancelToken& caller_cancel)
        : write(std::move(prepared)), cancel(caller_cancel) {}
    PreparedWrite write;
    const CancelToken& cancel;
    // Of the caller while queued, of the leader while taken.
    absl::StatusOr<WriteResult> result = WriteResult{};
    Stage stage = Stage::kQueued;  // Guarded by queue_mutex_.
    absl::CondVar wake;
  };
  using Group = std::vector<Pending*>;

  // Ends a queued write whose caller will not wait.
  absl::Status Leave(Pending& pending, absl::Status reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_);
  // Takes a group off the queue and sees it through, without queue_mutex_ meanwhile.
  void Lead() ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_);
  // The longest run of queued writes, within bounds, of which none can see another; at least one.
  Group TakeGroup() ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_);
  bool IsIdle() const ABSL_SHARED_LOCKS_REQUIRED(queue_mutex_) { return !leads_; }

  // Sets the result of each.
  void CommitAndApply(const Group& group) ABSL_LOCKS_EXCLUDED(shard_.commit_gate);
  // Plans what the group changes; the results of writes that change nothing are final. Returns
  // whether any must be durable.
  Durability PlanGroup(const Group& group, Group& owners, std::vector<PlannedWrite>& planned)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.commit_gate);
  // The answer to a write that its producer has made before.
  std::optional<WriteResult> FindDuplicate(const PreparedWrite& write) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.commit_gate);
  absl::Status Commit(std::span<const PlannedWrite> planned, Durability durability)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.commit_gate);

  Shard& shard_;
  const std::function<absl::Time()> clock_;

  absl::Mutex queue_mutex_ ABSL_ACQUIRED_BEFORE(shard_.commit_gate);
  std::deque<Pending*> queue_ ABSL_GUARDED_BY(queue_mutex_);
  bool leads_ ABSL_GUARDED_BY(queue_mutex_) = false;
  absl::Status closed_ ABSL_GUARDED_BY(queue_mutex_);

  // The last position known to survive a power cut.
  uint64_t durable_seq_ ABSL_GUARDED_BY(shard_.commit_gate);
};

}  // namespace vettore
