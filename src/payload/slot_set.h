// The slots of one value of one field: nothing, one, a few or many, each in the form that costs
// least.
#pragma once

#include <cstddef>
#include <memory>
#include <variant>

#include "absl/container/btree_set.h"
#include "types/slot_bitmap.h"

namespace vettore {

// Most values of a unique field have one slot, which costs no heap; a value that many points share
// becomes a bitmap as soon as that is smaller than a tree. Externally synchronised; any number of
// concurrent readers.
class SlotSet {
 public:
  // Both are idempotent.
  void Insert(Slot slot);
  void Remove(Slot slot);

  bool empty() const;
  size_t size() const;
  void AddTo(SlotBitmap& slots) const;

 private:
  using Tree = absl::btree_set<Slot>;
  struct Dense {
    SlotBitmap slots;
    size_t count = 0;
  };

  void InsertInto(Tree& tree, Slot slot);
  void RemoveFrom(Dense& dense, Slot slot);

  // A lone slot, kNoSlot when empty.
  std::variant<Slot, std::unique_ptr<Tree>, std::unique_ptr<Dense>> form_ = kNoSlot;
};

}  // namespace vettore
