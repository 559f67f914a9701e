// The streams that are open, so that a server that stops can ask them to end.
#pragma once

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace vettore {

class DrainableStream {
 public:
  virtual ~DrainableStream() = default;
  // Answers what was read, reads no more, and ends the stream with Unavailable. Callable at any
  // time, even after the end.
  virtual void Drain() = 0;
};

// Thread-safe.
class StreamRegistry {
 public:
  void Add(const std::shared_ptr<DrainableStream>& stream) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    streams_[stream.get()] = stream;
  }
  void Remove(const DrainableStream* stream) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    streams_.erase(stream);
  }

  void DrainAll() ABSL_LOCKS_EXCLUDED(mutex_) {
    std::vector<std::shared_ptr<DrainableStream>> live;
    {
      absl::MutexLock lock(&mutex_);
      for (const auto& [_, stream] : streams_) {
        if (auto held = stream.lock()) live.push_back(std::move(held));
      }
    }
    for (const auto& stream : live) stream->Drain();
  }

 private:
  absl::Mutex mutex_;
  absl::flat_hash_map<const DrainableStream*, std::weak_ptr<DrainableStream>> streams_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace vettore
