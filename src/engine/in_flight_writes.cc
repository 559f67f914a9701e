#include "engine/in_flight_writes.h"

#include <algorithm>

namespace vettore {

void InFlightWrites::Begin(std::span<const Slot> touched, size_t deletes) {
  absl::MutexLock lock(&mutex_);
  touched_.insert(touched.begin(), touched.end());
  deletes_ = deletes > 0;
}

void InFlightWrites::End() {
  absl::MutexLock lock(&mutex_);
  touched_.clear();
  deletes_ = false;
}

bool InFlightWrites::Touch(std::span<const Slot> slots) const {
  absl::MutexLock lock(&mutex_);
  if (touched_.empty()) return false;
  return std::any_of(slots.begin(), slots.end(), [&](Slot slot) ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return touched_.contains(slot);
  });
}

bool InFlightWrites::Touch(const SlotBitmap& slots) const {
  absl::MutexLock lock(&mutex_);
  return std::any_of(touched_.begin(), touched_.end(),
                     [&](Slot slot) { return slots.Contains(slot); });
}

bool InFlightWrites::Delete() const {
  absl::MutexLock lock(&mutex_);
  return deletes_;
}

}  // namespace vettore
