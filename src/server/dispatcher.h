// Which calls may run, and where: admission by count and bytes, a pool for reads and one for
// writes, the request log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/helpers.h"
#include "base/thread_pool.h"

namespace vettore {

// Where a call runs: bulk work must never keep searches waiting.
enum class Lane { kRead, kWrite };

// RPC threads hand every call to it and compute nothing themselves. Thread-safe.
class Dispatcher {
 public:
  struct Options {
    int read_threads = 1;
    int write_threads = 1;
    size_t queue_requests = 1'000;
    uint64_t queue_bytes = 512 << 20;
    absl::Duration slow;  // Zero: no call is slow.
  };
  explicit Dispatcher(const Options& options);

  // Takes up a call or a stream. Unavailable once the server stops, ResourceExhausted past the
  // limits; else Leave() must follow, as the last thing that the call does.
  absl::Status Enter() ABSL_LOCKS_EXCLUDED(mutex_);
  void Leave() ABSL_LOCKS_EXCLUDED(mutex_);

  // Accounts for a message while it is in memory. ResourceExhausted past queue_bytes; else
  // ReleaseBytes must follow.
  absl::Status ReserveBytes(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void ReleaseBytes(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);

  // ResourceExhausted when queue_requests wait in the lane.
  absl::Status Schedule(Lane lane, std::function<void()> task);

  // The other threads of the read lane. Must not be used when the dispatcher is gone.
  Helpers ReadHelpers();

  // One event a call: debug; a warning when it was slow; an error when it is ours or the operator's
  // turn.
  void LogCall(std::string_view method, const absl::Status& status, absl::Duration took) const;

  // From now on Enter refuses.
  void StopEntering() ABSL_LOCKS_EXCLUDED(mutex_);
  // False when calls are still there after `timeout`.
  bool WaitUntilEmpty(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  bool IsEmpty() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return calls_ == 0; }

  const Options options_;

  absl::Mutex mutex_;
  bool stops_ ABSL_GUARDED_BY(mutex_) = false;
  size_t calls_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;

  // Last, so that their tasks end first.
  ThreadPool reads_;
  ThreadPool writes_;
};

}  // namespace vettore
