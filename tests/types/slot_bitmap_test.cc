#include "types/slot_bitmap.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

#include "base/strings.h"

namespace vettore {
namespace {

std::vector<Slot> SlotsOf(const SlotBitmap& bitmap) {
  std::vector<Slot> slots;
  bitmap.ForEach([&slots](Slot slot) {
    slots.push_back(slot);
    return true;
  });
  return slots;
}

using Model = std::set<Slot>;

// A set and its bitmap of random size and density.
std::pair<Model, SlotBitmap> Random(std::mt19937_64& random) {
  Model model;
  const size_t size = random() % 300;
  SlotBitmap bitmap(size);
  for (size_t i = 0; i < size; i += 1 + random() % 9) {
    model.insert(static_cast<Slot>(i));
    bitmap.Insert(static_cast<Slot>(i));
  }
  return {model, bitmap};
}

void ExpectEqual(const SlotBitmap& bitmap, const Model& model) {
  ASSERT_EQ(SlotsOf(bitmap), std::vector<Slot>(model.begin(), model.end()));
  ASSERT_EQ(bitmap.Count(), model.size());
  ASSERT_EQ(bitmap.empty(), model.empty());
  for (Slot slot = 0; slot < 310; ++slot) {
    ASSERT_EQ(bitmap.Contains(slot), model.count(slot) == 1) << slot;
  }
}

TEST(SlotBitmap, SetAlgebraIsThatOfSets) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 500; ++round) {
    const auto [a, a_bits] = Random(random);
    const auto [b, b_bits] = Random(random);
    Model both, either = a, rest;
    for (const Slot slot : a) (b.count(slot) == 1 ? both : rest).insert(slot);
    either.insert(b.begin(), b.end());
    SlotBitmap bits = a_bits;
    bits.IntersectWith(b_bits);
    ExpectEqual(bits, both);
    bits = a_bits;
    bits.UniteWith(b_bits);
    ExpectEqual(bits, either);
    bits = a_bits;
    bits.Subtract(b_bits);
    ExpectEqual(bits, rest);
  }
}

TEST(SlotBitmap, InsertGrowsAndRemovePastTheEndIsNothing) {
  SlotBitmap bitmap;
  EXPECT_FALSE(bitmap.Contains(0));
  bitmap.Insert(1'000);
  EXPECT_EQ(bitmap.size(), 1'001u);
  bitmap.Remove(5'000);
  bitmap.Remove(1'000);
  EXPECT_TRUE(bitmap.empty());
}

TEST(SlotBitmap, ShrinkingForgetsWhatIsPastTheEnd) {
  SlotBitmap bitmap(200);
  for (const Slot slot : {3u, 69u, 70u, 71u, 150u}) bitmap.Insert(slot);
  bitmap.Resize(70);
  bitmap.Resize(200);
  EXPECT_EQ(SlotsOf(bitmap), (std::vector<Slot>{3, 69}));
}

TEST(SlotBitmap, ForEachStopsWhenToldTo) {
  SlotBitmap bitmap(200);
  for (Slot slot = 0; slot < 200; ++slot) bitmap.Insert(slot);
  int visits = 0;
  bitmap.ForEach([&visits](Slot) { return ++visits < 70; });
  EXPECT_EQ(visits, 70);
}

}  // namespace
}  // namespace vettore
