// Which slots the writes touch that are being committed: the store may show them before memory
// does.
#pragma once

#include <span>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "types/slot_bitmap.h"

namespace vettore {

// The writer calls Begin before a group of writes is committed, and End once it is applied to
// memory, while readers are shut out. So a reader that has read records and finds their slots
// untouched afterwards, still holding its lock, has read the state that memory shows. Thread-safe.
class InFlightWrites {
 public:
  // `touched`: slots whose point is replaced or deleted; new points are in no reader's way.
  void Begin(std::span<const Slot> touched, size_t deletes) ABSL_LOCKS_EXCLUDED(mutex_);
  void End() ABSL_LOCKS_EXCLUDED(mutex_);

  bool Touch(std::span<const Slot> slots) const ABSL_LOCKS_EXCLUDED(mutex_);
  bool Touch(const SlotBitmap& slots) const ABSL_LOCKS_EXCLUDED(mutex_);
  bool Delete() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable absl::Mutex mutex_;
  absl::flat_hash_set<Slot> touched_ ABSL_GUARDED_BY(mutex_);
  bool deletes_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace vettore
