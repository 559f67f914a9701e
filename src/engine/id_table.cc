#include "engine/id_table.h"

#include "base/status.h"

namespace vettore {

Slot IdTable::Find(const PointId& id) const {
  const auto found = slots_.find(id);
  return found == slots_.end() ? kNoSlot : *found;
}

Slot IdTable::Unused(size_t n) const {
  if (n < free_.size()) return free_[n];
  const size_t fresh = ids_.size() + (n - free_.size());
  return fresh < kNoSlot ? static_cast<Slot>(fresh) : kNoSlot;
}

void IdTable::Insert(Slot slot, const PointId& id) {
  if (slot < ids_.size()) {
    VETTORE_CHECK(!free_.empty() && free_.front() == slot);
    free_.pop_front();
    ids_[slot] = id;
  } else {
    VETTORE_CHECK(slot == ids_.size());
    ids_.push_back(id);
  }
  live_.Insert(slot);
  VETTORE_CHECK(slots_.insert(slot).second);
}

void IdTable::Erase(Slot slot) {
  VETTORE_CHECK(live_.Contains(slot));
  slots_.erase(slot);
  live_.Remove(slot);
  ids_[slot] = PointId(0);
  free_.push_back(slot);
}

bool IdTable::Load(Slot slot, const PointId& id) {
  if (slot < ids_.size() || slot == kNoSlot || Find(id) != kNoSlot) return false;
  while (ids_.size() < slot) {
    free_.push_back(static_cast<Slot>(ids_.size()));
    ids_.emplace_back(0);
  }
  ids_.push_back(id);
  live_.Insert(slot);
  slots_.insert(slot);
  return true;
}

size_t IdTable::memory_bytes() const {
  // The set keeps a control byte beside each slot. Texts beyond the small-string buffer are not
  // counted.
  return ids_.size() * sizeof(PointId) + slots_.capacity() * (sizeof(Slot) + 1) + live_.size() / 8 +
         free_.size() * sizeof(Slot);
}

}  // namespace vettore
