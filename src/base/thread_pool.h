// A fixed set of threads behind one bounded queue.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace vettore {

// Thread-safe.
class ThreadPool {
 public:
  struct Options {
    std::string name =
        "pool";       // Of its threads, up to 15 bytes, as debuggers and `top -H` show it.
    int threads = 1;  // >= 1
    size_t max_queued = 10'000;
  };

  explicit ThreadPool(const Options& options);
  // Runs what is queued, then joins.
  ~ThreadPool();

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // ResourceExhausted when `max_queued` tasks wait already; the task is then not run.
  absl::Status Schedule(std::function<void()> task) ABSL_LOCKS_EXCLUDED(mutex_);

  int threads() const { return static_cast<int>(threads_.size()); }
  size_t queued() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasWorkOrStops() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stops_ || !tasks_.empty();
  }

  const Options options_;
  std::vector<std::thread> threads_;

  mutable absl::Mutex mutex_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  bool stops_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace vettore
