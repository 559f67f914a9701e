// The first failed write of a store, after which it takes no more.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "base/log.h"
#include "base/strings.h"

namespace vettore {

// Thread-safe.
class FailureLatch {
 public:
  // Unavailable once a failure was set.
  absl::Status Check() const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (first_.ok()) return absl::OkStatus();
    return absl::UnavailableError(
        StrCat("an earlier write failed and it is not known what is on disk (", first_.message(),
               "); nothing more is written until the data directory is opened again"));
  }

  void Set(const absl::Status& failure) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (!first_.ok()) return;
    first_ = failure;
    Log(LogLevel::kError, "storage write failed", {{"error", failure.ToString()}});
  }

 private:
  mutable absl::Mutex mutex_;
  absl::Status first_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace vettore
