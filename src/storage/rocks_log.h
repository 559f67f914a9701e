// What RocksDB says about itself, as events of our log: never a file in the data directory, which
// on a full disk would abort the process.
#pragma once

#include <cstdarg>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "rocksdb/env.h"

namespace vettore {

// Forwards every error, and at most one warning a second: a stall comes once a column family.
// Thread-safe.
class RocksLog : public rocksdb::Logger {
 public:
  RocksLog() : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}

  using rocksdb::Logger::Logv;
  // RocksDB writes what has no level here: banners.
  void Logv(const char* format, va_list arguments) override;
  void Logv(rocksdb::InfoLogLevel level, const char* format, va_list arguments) override
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Mutex mutex_;
  absl::Time last_warning_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  uint64_t suppressed_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace vettore
