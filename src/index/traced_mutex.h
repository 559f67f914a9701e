// A std::mutex with clang's thread-safety annotations.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"

namespace vettore {

// This room locks with it instead of absl::Mutex, because Debian's abseil is not instrumented: the
// thread sanitizer does not see what an absl::Mutex orders and would report every access behind it.
// Thread-safe.
class ABSL_LOCKABLE TracedMutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class TracedCondition;
  std::mutex mutex_;
};

class ABSL_SCOPED_LOCKABLE TracedLock {
 public:
  explicit TracedLock(TracedMutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~TracedLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  TracedLock(const TracedLock&) = delete;
  TracedLock& operator=(const TracedLock&) = delete;

 private:
  TracedMutex& mutex_;
};

// Thread-safe.
class TracedCondition {
 public:
  // Releases the mutex, waits for a notification at most that long, and takes the mutex again. May
  // wake for nothing.
  void WaitFor(TracedMutex& mutex, std::chrono::milliseconds timeout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait_for(lock, timeout);
    lock.release();
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace vettore
