// Where forward passes run: a small one at once on its caller's thread, the chunks of bulk calls on
// shared workers.
#pragma once

#include <cstddef>
#include <functional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "base/cancel.h"
#include "base/thread_pool.h"

namespace vettore {

// One per process, because cores are: models share it. The workers, one a core, run at lower
// priority than the threads of small calls, so that a query does not wait behind an ingest.
// Thread-safe.
class ForwardScheduler {
 public:
  explicit ForwardScheduler(int workers);
  static ForwardScheduler& Shared();

  // Calls run() on this thread. Few calls run side by side; the others wait their turn, until
  // `cancel` fires.
  absl::Status RunNow(const std::function<void()>& run, const CancelToken& cancel)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Calls run_chunk(i) once for each i below `chunks`, on workers, side by side; returns when all
  // are done. When `cancel` fires, chunks that have not begun never do, and its status returns
  // after those that have. Concurrent calls take turns, chunk by chunk.
  absl::Status RunChunks(size_t chunks, const std::function<void(size_t)>& run_chunk,
                         const CancelToken& cancel);

  int workers() const { return workers_.threads(); }

 private:
  struct Job;
  void RunOneChunk(Job& job);
  bool HasLane() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return free_lanes_ > 0; }

  absl::Mutex mutex_;
  int free_lanes_ ABSL_GUARDED_BY(mutex_);
  ThreadPool workers_;
};

}  // namespace vettore
