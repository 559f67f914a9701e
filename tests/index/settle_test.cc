// Removals while a search runs, one by one instead of by chance.
#include "index/settle.h"

#include <gtest/gtest.h>

namespace vettore {
namespace {

constexpr size_t kDim = 1;

class FindSettledTest : public testing::Test {
 protected:
  FindSettledTest() {
    for (Slot slot = 0; slot < 10; ++slot) {
      const float vector = static_cast<float>(slot);
      rows_.Put(slot, {&vector, 1}).value();
    }
  }

  // The nearest `n` of those that are alive, of which `change` then takes some.
  template <typename Change>
  absl::StatusOr<Settled> Find(size_t n, Change change) {
    std::vector<Hit> hits;
    for (Slot slot = 0; slot < 10 && hits.size() < n; ++slot) {
      const Row row = rows_.RowOf(slot);
      if (row != kNoRow) hits.push_back({{slot, static_cast<float>(slot * slot)}, row});
    }
    change();
    return Settle(rows_, distance_, &kQuery, hits);
  }

  std::vector<Slot> Slots(const std::vector<Neighbor>& neighbors) {
    std::vector<Slot> slots;
    for (const Neighbor& neighbor : neighbors) slots.push_back(neighbor.slot);
    return slots;
  }

  static constexpr float kQuery = 0;
  RowStore rows_{kDim};
  VectorDistance distance_{Metric::kL2, kDim};
};

TEST_F(FindSettledTest, RemovedHitsAreMadeUpForThoughEachSearchLosesSome) {
  Slot next = 0;
  const auto found =
      FindSettled(3, [&](size_t n) { return Find(n, [&] { rows_.Remove(next++); }); });
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(Slots(*found), (std::vector<Slot>{2, 3, 4}));
}

TEST_F(FindSettledTest, AHitThatMovedIsMeasuredAnewAndFindsItsPlace) {
  const auto found = FindSettled(2, [&](size_t n) {
    return Find(n, [&] {
      const float far = 9;
      rows_.Put(0, {&far, 1}).value();
    });
  });
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(Slots(*found), (std::vector<Slot>{1, 0}));
  EXPECT_EQ((*found)[1].distance, 81);
}

TEST_F(FindSettledTest, FewerWhenFewerAreLeft) {
  const auto found = FindSettled(10, [&](size_t n) { return Find(n, [&] { rows_.Remove(5); }); });
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->size(), 9U);
}

TEST_F(FindSettledTest, ItEndsThoughEverySearchLosesAll) {
  int searches = 0;
  const auto found = FindSettled(2, [&](size_t) -> absl::StatusOr<Settled> {
    ++searches;
    return Settled{.neighbors = {}, .lost = 2};
  });
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->empty());
  EXPECT_LT(searches, 10);
}

}  // namespace
}  // namespace vettore
