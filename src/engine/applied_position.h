// How far a shard's memory has come, for reads that wait until it has come far enough.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/cancel.h"
#include "types/position.h"

namespace vettore {

// Thread-safe.
class AppliedPosition {
 public:
  static constexpr absl::Duration kLongestWait = absl::Seconds(10);

  explicit AppliedPosition(Position position, absl::Duration longest_wait = kLongestWait)
      : longest_wait_(longest_wait), position_(position) {}

  Position Get() const ABSL_LOCKS_EXCLUDED(mutex_);
  void Advance(Position position) ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends all waits, now and later, with `reason`.
  void Close(absl::Status reason) ABSL_LOCKS_EXCLUDED(mutex_);

  // Returns once `wanted` is applied. FailedPrecondition: a position of another epoch. When it
  // stays ahead: what `cancel` says when it fires; Unavailable, naming both positions, after the
  // longest wait, whatever the deadline: a waiting read holds a thread.
  absl::Status WaitFor(Position wanted, const CancelToken& cancel) const
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const absl::Duration longest_wait_;

  mutable absl::Mutex mutex_;
  Position position_ ABSL_GUARDED_BY(mutex_);
  absl::Status closed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace vettore
