// The one writer of a shard: many callers' writes are committed to the store as groups, then
// applied in order.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
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
  // changed in memory. Throws nothing: ResourceExhausted where memory runs out before the write is
  // stored; where it does later, the write succeeds and the shard serves no more, as Shard::Apply
  // has it.
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
  struct PlannedGroup {
    std::vector<PlannedWrite> writes;
    Group owners;  // Their results depend on the commit.
    std::vector<std::string> forgotten_producers;
    Durability durability = Durability::kBuffered;
  };

  // Ends a queued write whose caller will not wait.
  absl::Status Leave(Pending& pending, absl::Status reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_);
  // Takes a group off the queue and sees it through, without queue_mutex_ meanwhile. The caller's
  // write is part of it.
  void Lead() ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_);
  // The longest run of queued writes, within bounds, of which none can see another; at least one.
  // Where it throws, all are still queued.
  Group TakeGroup() ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_);
  bool IsIdle() const ABSL_SHARED_LOCKS_REQUIRED(queue_mutex_) { return !leads_; }

  // Sets the result of each.
  void CommitAndApply(const Group& group) ABSL_LOCKS_EXCLUDED(shard_.commit_gate);
  // Plans what the group changes; the results of writes that change nothing are final.
  void PlanGroup(const Group& group, PlannedGroup& planned)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.commit_gate);
  // Whom the shard must forget so that the producers of the planned writes fit.
  std::vector<std::string> ProducersToForget(std::span<const PlannedWrite> planned) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.commit_gate);
  // Says which slots are about to change.
  void BeginInFlight(std::span<const PlannedWrite> planned)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.commit_gate);
  // The answer to a write that its producer has made before.
  std::optional<WriteResult> FindDuplicate(const PreparedWrite& write) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.commit_gate);
  absl::Status Commit(const PlannedGroup& planned)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.commit_gate);
  void Apply(PlannedGroup& planned)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard_.commit_gate, shard_.state_mutex);

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
