#include "payload/slot_set.h"

#include <utility>

namespace vettore {
namespace {

// A tree takes about 5 bytes a slot and a bitmap a bit for each slot of the shard: at one slot in
// 32 the bitmap is smaller. It turns back well below that, so that a set at the border does not
// change form with every write.
constexpr size_t kDenseOneIn = 32;
constexpr size_t kSparseOneIn = 128;
constexpr size_t kMinDense = 64;

}  // namespace

bool SlotSet::empty() const { return size() == 0; }

size_t SlotSet::size() const {
  if (const Slot* lone = std::get_if<Slot>(&form_)) return *lone == kNoSlot ? 0 : 1;
  if (const auto* tree = std::get_if<std::unique_ptr<Tree>>(&form_)) return (*tree)->size();
  return std::get<std::unique_ptr<Dense>>(form_)->count;
}

void SlotSet::Insert(Slot slot) {
  if (Slot* lone = std::get_if<Slot>(&form_)) {
    if (*lone == slot) return;
    if (*lone == kNoSlot) {
      *lone = slot;
    } else {
      form_ = std::make_unique<Tree>(Tree{*lone, slot});
    }
  } else if (auto* tree = std::get_if<std::unique_ptr<Tree>>(&form_)) {
    InsertInto(**tree, slot);
  } else {
    Dense& dense = *std::get<std::unique_ptr<Dense>>(form_);
    if (dense.slots.Contains(slot)) return;
    dense.slots.Insert(slot);
    ++dense.count;
  }
}

void SlotSet::InsertInto(Tree& tree, Slot slot) {
  tree.insert(slot);
  if (tree.size() < kMinDense || tree.size() * kDenseOneIn <= *tree.rbegin()) return;
  auto dense = std::make_unique<Dense>(Dense{SlotBitmap(size_t{*tree.rbegin()} + 1), tree.size()});
  for (const Slot member : tree) dense->slots.Insert(member);
  form_ = std::move(dense);
}

void SlotSet::Remove(Slot slot) {
  if (Slot* lone = std::get_if<Slot>(&form_)) {
    if (*lone == slot) *lone = kNoSlot;
  } else if (auto* tree = std::get_if<std::unique_ptr<Tree>>(&form_)) {
    (*tree)->erase(slot);
    if ((*tree)->size() > 1) return;
    const Slot last = (*tree)->empty() ? kNoSlot : *(*tree)->begin();  // Outlives the tree.
    form_ = last;
  } else {
    RemoveFrom(*std::get<std::unique_ptr<Dense>>(form_), slot);
  }
}

void SlotSet::RemoveFrom(Dense& dense, Slot slot) {
  if (!dense.slots.Contains(slot)) return;
  dense.slots.Remove(slot);
  --dense.count;
  if (dense.count >= kMinDense / 2 && dense.count * kSparseOneIn >= dense.slots.size()) return;
  auto tree = std::make_unique<Tree>();
  dense.slots.ForEach([&tree](Slot member) {
    tree->insert(tree->end(), member);
    return true;
  });
  form_ = std::move(tree);
}

void SlotSet::AddTo(SlotBitmap& slots) const {
  if (const Slot* lone = std::get_if<Slot>(&form_)) {
    if (*lone != kNoSlot) slots.Insert(*lone);
  } else if (const auto* tree = std::get_if<std::unique_ptr<Tree>>(&form_)) {
    for (const Slot slot : **tree) slots.Insert(slot);
  } else {
    slots.UniteWith(std::get<std::unique_ptr<Dense>>(form_)->slots);
  }
}

}  // namespace vettore
