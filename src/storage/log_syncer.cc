#include "storage/log_syncer.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace vettore {

LogSyncer::LogSyncer(Options options, Watermark watermark)
    : options_(std::move(options)),
      watermark_(std::move(watermark)),
      committed_(options_.committed),
      synced_(options_.committed),
      marked_(options_.committed),
      thread_([this] { Run(); }) {}

void LogSyncer::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stops_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void LogSyncer::NoteCommit(uint64_t number, LogState state) {
  absl::MutexLock lock(&mutex_);
  committed_ = std::max(committed_, number);
  if (state == LogState::kSynced) synced_ = std::max(synced_, number);
}

void LogSyncer::Run() {
  pthread_setname_np(pthread_self(), "store-sync");
  while (true) {
    bool stops = false;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &LogSyncer::HasWorkOrStops));
      mutex_.AwaitWithTimeout(absl::Condition(&stops_), kInterval);
      stops = stops_;
    }
    const absl::Status synced = options_.failure->Check().ok() ? Sync() : absl::OkStatus();
    if (!synced.ok()) options_.failure->Set(synced);
    if (stops) return;
  }
}

absl::Status LogSyncer::Sync() {
  uint64_t target = 0;
  bool needs_sync = false;
  {
    absl::MutexLock lock(&mutex_);
    if (marked_ == committed_) return absl::OkStatus();
    target = committed_;
    needs_sync = synced_ < target;
  }
  if (needs_sync) {
    VETTORE_RETURN_IF_ERROR(options_.sync_log());
  }
  VETTORE_RETURN_IF_ERROR(watermark_.Write(target));
  absl::MutexLock lock(&mutex_);
  synced_ = std::max(synced_, target);
  marked_ = target;
  return absl::OkStatus();
}

}  // namespace vettore
