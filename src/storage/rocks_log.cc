#include "storage/rocks_log.h"

#include <cstdio>
#include <utility>

#include "absl/time/clock.h"
#include "base/log.h"

namespace vettore {

void RocksLog::Logv(const char*, va_list) {}

void RocksLog::Logv(rocksdb::InfoLogLevel level, const char* format, va_list arguments) {
  if (level < rocksdb::InfoLogLevel::WARN_LEVEL || level > rocksdb::InfoLogLevel::FATAL_LEVEL) {
    return;
  }
  char text[1024];
  std::vsnprintf(text, sizeof text, format, arguments);
  if (level != rocksdb::InfoLogLevel::WARN_LEVEL) {
    Log(LogLevel::kError, "rocksdb", {{"text", text}});
    return;
  }
  uint64_t suppressed = 0;
  {
    absl::MutexLock lock(&mutex_);
    const absl::Time now = absl::Now();
    if (now < last_warning_ + absl::Seconds(1)) {
      ++suppressed_;
      return;
    }
    last_warning_ = now;
    suppressed = std::exchange(suppressed_, 0);
  }
  Log(LogLevel::kWarning, "rocksdb", {{"text", text}, {"suppressed", suppressed}});
}

}  // namespace vettore
