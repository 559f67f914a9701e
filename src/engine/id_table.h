// The ids of a shard's points and the slots that they live in.
#pragma once

#include <cstddef>
#include <deque>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "types/point_id.h"
#include "types/slot_bitmap.h"

namespace vettore {

// An id is held once, by slot; the hash set holds slots only and looks at the ids behind them.
// Externally synchronised.
class IdTable {
 public:
  IdTable() : slots_(0, SlotHash{&ids_}, SlotEqual{&ids_}) {}
  IdTable(const IdTable&) = delete;
  IdTable& operator=(const IdTable&) = delete;

  Slot Find(const PointId& id) const;                        // kNoSlot when absent.
  const PointId& id(Slot slot) const { return ids_[slot]; }  // live().Contains(slot)
  const SlotBitmap& live() const { return live_; }
  size_t size() const { return slots_.size(); }

  // The slot that the `n`th insertion from now (0: the next one) takes: freed slots, longest free
  // first, then fresh ones. kNoSlot when all are taken. Slots freed meanwhile queue behind and
  // change nothing.
  Slot Unused(size_t n) const;

  // Takes Unused(0), which must be `slot`, for an id that is absent.
  void Insert(Slot slot, const PointId& id);
  // Frees a live slot.
  void Erase(Slot slot);

  // Takes `slot` while the table is loaded in ascending order of slots; what it skips is unused.
  // False, with nothing done, when the order is broken or the id has a slot already.
  bool Load(Slot slot, const PointId& id);

  size_t memory_bytes() const;

 private:
  struct SlotHash {
    using is_transparent = void;
    size_t operator()(Slot slot) const { return (*this)((*ids)[slot]); }
    size_t operator()(const PointId& id) const { return absl::Hash<PointId>{}(id); }
    const std::deque<PointId>* ids;
  };
  struct SlotEqual {
    using is_transparent = void;
    bool operator()(Slot a, Slot b) const { return a == b; }
    bool operator()(Slot a, const PointId& b) const { return (*ids)[a] == b; }
    bool operator()(const PointId& a, Slot b) const { return a == (*ids)[b]; }
    const std::deque<PointId>* ids;
  };

  std::deque<PointId>
      ids_;  // By slot; of unused slots the number 0. A deque: growing moves nothing.
  absl::flat_hash_set<Slot, SlotHash, SlotEqual> slots_;
  SlotBitmap live_;
  std::deque<Slot> free_;  // Below ids_.size(), longest free first.
};

}  // namespace vettore
