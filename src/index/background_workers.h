// Threads that come when there is work in the background and go when there is none.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <thread>

#include "index/traced_mutex.h"

namespace vettore {

// `wanted`, or when that is absent as many as the machine offers, up to `most`.
int BackgroundThreads(std::optional<int> wanted, int most);

// A server may hold thousands of indexes, of which few have work at a time: no thread stays for an
// idle one. The threads run at a lower priority than those that answer queries. Beyond its first
// thread, an index shares as many as the machine has cores with all others of the process.
// Thread-safe.
class BackgroundWorkers {
 public:
  struct Options {
    std::string name;  // Of the threads, up to 15 bytes.
    int threads = 1;   // >= 1
    // Does one portion of work; false when there is none now. Called from several threads at once.
    std::function<bool()> work;
  };

  explicit BackgroundWorkers(Options options) : options_(std::move(options)) {}
  // Returns when the portions in progress are done; they can ask stopping() to be brief.
  ~BackgroundWorkers() ABSL_LOCKS_EXCLUDED(mutex_);
  BackgroundWorkers(const BackgroundWorkers&) = delete;
  BackgroundWorkers& operator=(const BackgroundWorkers&) = delete;

  // There may be work for up to `wanted` threads.
  void Wake(int wanted) ABSL_LOCKS_EXCLUDED(mutex_);
  // About so many rows wait: none wakes nobody, a few are one thread's, many are all threads'.
  void WakeForBacklog(size_t rows) ABSL_LOCKS_EXCLUDED(mutex_);
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  int threads() const { return options_.threads; }

 private:
  struct Worker {
    std::thread thread;
    bool has_ended = false;
  };

  void Start() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run(Worker* self, bool is_extra) ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits for a wake-up later than `seen`; false when the thread should end.
  bool AwaitWork(uint64_t seen) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void JoinEnded() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  std::atomic<bool> stopping_ = false;

  TracedMutex mutex_;
  TracedCondition woken_;
  std::list<Worker> workers_ ABSL_GUARDED_BY(mutex_);
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t wakes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace vettore
