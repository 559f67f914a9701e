// Rows, their versions, and when they are reused.
#include "index/rows/row_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "index/graph/search_scratch.h"
#include "index/linear_pool.h"
#include "index/rows/era_chain.h"

namespace vettore {
namespace {

Row MustPut(RowStore& rows, Slot slot, float value) {
  const auto placed = rows.Put(slot, std::vector<float>(5, value));
  EXPECT_TRUE(placed.ok());
  return placed->row;
}

TEST(RowStore, GrowthNeverMovesAVector) {
  RowStore rows(5);
  const Row first = MustPut(rows, 0, 1);
  const float* const vector = rows.vector(first);
  for (Slot slot = 1; slot < 200'000; ++slot) MustPut(rows, slot, static_cast<float>(slot));
  EXPECT_EQ(rows.vector(first), vector);
  EXPECT_EQ(vector[4], 1);
  EXPECT_EQ(rows.vector(rows.RowOf(199'999))[4], 199'999);
}

TEST(RowStore, VectorsLieOnCacheLines) {
  RowStore rows(5);
  for (Slot slot = 0; slot < 10; ++slot) {
    const Row row = MustPut(rows, slot, 1);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(rows.vector(row)) % 64, 0U);
  }
}

TEST(RowStore, AVersionKeepsSeeingWhatItSaw) {
  RowStore rows(5);
  const Row old = MustPut(rows, 3, 1);
  const uint64_t before = rows.version();
  const Row renewed = MustPut(rows, 3, 2);
  const uint64_t between = rows.version();
  rows.Remove(3);
  EXPECT_TRUE(rows.IsVisibleAt(old, before));
  EXPECT_FALSE(rows.IsVisibleAt(renewed, before));
  EXPECT_FALSE(rows.IsVisibleAt(old, between));
  EXPECT_TRUE(rows.IsVisibleAt(renewed, between));
  EXPECT_FALSE(rows.IsVisibleAt(renewed, rows.version()));
  EXPECT_EQ(rows.RowOf(3), kNoRow);
}

TEST(EraChain, ARowIsReusedOnlyAfterTheSearchesThatCouldSeeIt) {
  RowStore rows(5);
  EraChain eras(rows);
  const Row dead = MustPut(rows, 0, 1);
  std::shared_ptr<const Era> early_search = eras.current();
  eras.BeginNext();
  rows.Remove(0);
  eras.Retire(dead);
  eras.BeginNext();
  // The early search began an era before the row died, and may still hold it.
  EXPECT_EQ(rows.released(), 0U);
  EXPECT_NE(MustPut(rows, 1, 2), dead);
  early_search.reset();
  EXPECT_EQ(rows.released(), 1U);
  EXPECT_EQ(MustPut(rows, 2, 3), dead);
}

TEST(EraChain, ALongSearchIsFollowedByAShortChain) {
  RowStore rows(5);
  EraChain eras(rows);
  const std::shared_ptr<const Era> long_search = eras.current();
  for (int i = 0; i < 300'000; ++i) {
    const auto placed = rows.Put(0, std::vector<float>(5, 1));
    ASSERT_TRUE(placed.ok());
    if (placed->replaced != kNoRow) eras.Retire(placed->replaced);
  }
  EXPECT_EQ(rows.released(), 0U);
}

TEST(LinearPool, KeepsTheNearestAndGivesEachOnce) {
  LinearPool pool;
  pool.Reset(3);
  EXPECT_EQ(pool.Insert({5, 0}), 0U);
  EXPECT_EQ(pool.Insert({3, 1}), 0U);
  EXPECT_EQ(pool.Insert({4, 2}), 1U);
  Row taken[3] = {};
  ASSERT_EQ(pool.TakeNearest(1, taken), 1U);
  EXPECT_EQ(taken[0], 1U);
  EXPECT_EQ(pool.Insert({1, 3}), 0U);  // Before what was taken: it is next. The farthest drops out.
  EXPECT_EQ(pool.Insert({9, 4}), LinearPool::kFar);
  std::vector<Row> next;
  pool.ForEachNext(1, [&](Row row) { next.push_back(row); });
  EXPECT_EQ(next, std::vector<Row>{3});
  ASSERT_EQ(pool.TakeNearest(3, taken), 2U);
  EXPECT_EQ(taken[0], 3U);
  EXPECT_EQ(taken[1], 2U);
  EXPECT_EQ(pool.TakeNearest(3, taken), 0U);
  ASSERT_EQ(pool.size(), 3U);
  EXPECT_EQ(pool[0].row, 3U);
  EXPECT_EQ(pool[2].row, 2U);
}

// Of equals the first inserted comes first, and stays; infinity is the farthest of all.
TEST(LinearPool, AgreesWithSorting) {
  std::mt19937 random(3);
  LinearPool pool;
  for (const size_t capacity : {1, 2, 7, 31, 200, 33, 64, 500, 32}) {
    pool.Reset(capacity);
    std::vector<std::pair<float, Row>> wanted;
    for (Row row = 0; row < 600; ++row) {
      const bool is_lost = random() % 10 == 0;
      const float distance = is_lost ? std::numeric_limits<float>::infinity()
                                     : static_cast<float>(random() % 100) - 50;
      pool.Insert({distance, row});
      wanted.emplace_back(distance, row);
      if (row % 7 != 0 && row + 1 < 600) continue;
      std::sort(wanted.begin(), wanted.end());
      ASSERT_EQ(pool.size(), std::min(capacity, size_t{row} + 1));
      wanted.resize(pool.size());
      for (size_t i = 0; i < pool.size(); ++i) {
        ASSERT_EQ(std::pair(pool[i].distance, pool[i].row), wanted[i]) << capacity << " " << i;
      }
    }
  }
}

TEST(RowSet, ForgetsAllAndTakesNothingPastItsEnd) {
  RowSet set;
  set.Reset(100);
  set.Insert(std::vector<Row>{99, 3, 99, 100});
  const std::span<const Row> all = set.Since(0);
  EXPECT_EQ(std::vector<Row>(all.begin(), all.end()), (std::vector<Row>{99, 3}));
  EXPECT_TRUE(set.Contains(99));
  EXPECT_FALSE(set.Contains(100));
  set.Reset(200);
  EXPECT_FALSE(set.Contains(99));
  set.Insert(std::vector<Row>{150});
  EXPECT_EQ(set.size(), 1U);
}

}  // namespace
}  // namespace vettore
