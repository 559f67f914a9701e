#include "payload/slot_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

#include "base/strings.h"

namespace vettore {
namespace {

std::vector<Slot> SlotsOf(const SlotSet& set) {
  SlotBitmap bitmap;
  set.AddTo(bitmap);
  std::vector<Slot> slots;
  bitmap.ForEach([&slots](Slot slot) {
    slots.push_back(slot);
    return true;
  });
  return slots;
}

void ExpectEqual(const SlotSet& set, const std::set<Slot>& model) {
  ASSERT_EQ(set.size(), model.size());
  ASSERT_EQ(set.empty(), model.empty());
  ASSERT_EQ(SlotsOf(set), std::vector<Slot>(model.begin(), model.end()));
}

// Through all its forms and back: a lone slot, a tree, a bitmap.
TEST(SlotSet, IsASetInEveryForm) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  for (const Slot universe : {3u, 100u, 1'000u, 20'000u}) {
    SlotSet set;
    std::set<Slot> model;
    // Insertions win for a while, then removals, so that the set fills and empties.
    for (int round = 0; round < 30'000; ++round) {
      const Slot slot = static_cast<Slot>(random() % universe);
      const bool grows = (round / 6'000) % 2 == 0;
      if (random() % 10 < (grows ? 9 : 1)) {
        set.Insert(slot);
        model.insert(slot);
      } else {
        set.Remove(slot);
        model.erase(slot);
      }
      if (round % 500 == 0) ExpectEqual(set, model);
    }
    for (const Slot slot : std::vector<Slot>(model.begin(), model.end())) set.Remove(slot);
    ExpectEqual(set, {});
  }
}

TEST(SlotSet, InsertAndRemoveAreIdempotent) {
  SlotSet set;
  set.Remove(5);
  set.Insert(5);
  set.Insert(5);
  ExpectEqual(set, {5});
  set.Remove(6);
  ExpectEqual(set, {5});
  for (Slot slot = 0; slot < 200; ++slot) {
    set.Insert(slot);
    set.Insert(slot);
  }
  EXPECT_EQ(set.size(), 200u);
  set.Remove(7);
  set.Remove(7);
  EXPECT_EQ(set.size(), 199u);
}

TEST(SlotSet, AddToKeepsWhatIsThere) {
  SlotBitmap bitmap;
  bitmap.Insert(9);
  SlotSet set;
  set.Insert(2);
  set.AddTo(bitmap);
  EXPECT_EQ(bitmap.Count(), 2u);
}

}  // namespace
}  // namespace vettore
