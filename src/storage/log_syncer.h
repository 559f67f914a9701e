// Makes buffered commits durable in the background and writes the watermark.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "storage/failure_latch.h"
#include "storage/watermark.h"

namespace vettore {

// At most 100 ms after a commit, and at most every 100 ms, the log is synced as far as it is not
// yet, and then the watermark says so. Thread-safe.
class LogSyncer {
 public:
  static constexpr absl::Duration kInterval = absl::Milliseconds(100);

  struct Options {
    std::function<absl::Status()> sync_log;  // Returns once every earlier commit is durable.
    uint64_t committed = 0;                  // The last commit, which is durable.
    FailureLatch* failure = nullptr;         // Must outlive the syncer.
  };

  LogSyncer(Options options, Watermark watermark);
  ~LogSyncer() { Stop(); }

  LogSyncer(const LogSyncer&) = delete;
  LogSyncer& operator=(const LogSyncer&) = delete;

  // Commit `number` is in the log. kSynced: it and all before it are durable.
  enum class LogState { kBuffered, kSynced };
  void NoteCommit(uint64_t number, LogState state) ABSL_LOCKS_EXCLUDED(mutex_);

  // Makes everything durable, unless a write failed, and ends the thread. Again: does nothing.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  // Brings the watermark up to the last commit.
  absl::Status Sync() ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasWorkOrStops() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stops_ || marked_ < committed_;
  }

  const Options options_;
  Watermark watermark_;  // Touched by the thread alone.

  absl::Mutex mutex_;
  uint64_t committed_ ABSL_GUARDED_BY(mutex_);
  uint64_t synced_ ABSL_GUARDED_BY(mutex_);  // Durable commits; <= committed_.
  uint64_t marked_ ABSL_GUARDED_BY(mutex_);  // What the watermark says; <= synced_.
  bool stops_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace vettore
