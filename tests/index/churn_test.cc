// HNSW after its points were replaced several times over.
#include <gtest/gtest.h>

#include <thread>

#include "index/test_data.h"

namespace vettore {
namespace {

constexpr size_t kDim = 32;
constexpr size_t kCount = 2500;
constexpr HnswConfig kConfig{.m = 12, .ef_construction = 60, .ef_search = 48};

double MeanRecall(const VectorIndex& index, const std::map<Slot, Vector>& points) {
  constexpr size_t kQueries = 100;
  double recall = 0;
  for (const Vector& query : VectorSource(kDim, Metric::kL2, 77).Take(kQueries)) {
    const auto found = MustSearch(index, query, Nearest(10));
    EXPECT_EQ(found.size(), 10U);
    recall += Recall(found, TrueNearest(Metric::kL2, points, query, 10)) / kQueries;
  }
  return recall;
}

// What a removal leaves: the thousand dead that start none, and a batch of rows that wait for
// reuse.
constexpr size_t kFewTombstones = 1300;

// Removing is in the background; what it must reach is stated, when is not.
bool Reclaims(const VectorIndex& index) {
  for (int i = 0; i < 6000; ++i) {
    if (index.Stats().tombstones <= kFewTombstones) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

TEST(Churn, RecallAndMemoryStayAfterSeveralTurnovers) {
  VectorSource source(kDim, Metric::kL2, 1);
  const auto index = MakeIndex(kConfig, Metric::kL2, kDim);
  auto points = PutAll(*index, source.Take(kCount));
  WaitUntilIndexed(*index);
  const double fresh = MeanRecall(*index, points);
  const size_t fresh_bytes = index->Stats().memory_bytes;

  std::mt19937 random(2);
  for (size_t i = 0; i < 4 * kCount; ++i) {
    const Slot slot = random() % kCount;
    points[slot] = source.Next();
    ASSERT_TRUE(index->Put(slot, points[slot]).ok());
    // As fast as the graph follows: otherwise most rows would die before they were ever linked.
    if (i % 500 == 0) WaitUntilIndexed(*index);
  }
  WaitUntilIndexed(*index);
  ASSERT_TRUE(Reclaims(*index)) << index->Stats().tombstones;
  EXPECT_GE(MeanRecall(*index, points), fresh - 0.03);
  EXPECT_LE(index->Stats().memory_bytes, 3 * fresh_bytes);
}

TEST(Churn, TheOldGraphAnswersWhileTheNewOneIsBuilt) {
  VectorSource source(kDim, Metric::kL2, 3);
  const auto index = MakeIndex(kConfig, Metric::kL2, kDim);
  auto points = PutAll(*index, source.Take(kCount));
  WaitUntilIndexed(*index);
  for (Slot slot = 0; slot < 3 * kCount / 4; ++slot) {
    index->Remove(slot);
    points.erase(slot);
    if (slot % 50 == 0) {
      const Vector query = source.Next();
      const auto found = MustSearch(*index, query, Nearest(10));
      EXPECT_EQ(found.size(), 10U);
      ExpectTrueNeighbors(found, Metric::kL2, points, query);
    }
  }
  // What is put while the graph is rebuilt is found at once too.
  for (Slot slot = 0; slot < 100; ++slot) {
    points[slot] = source.Next();
    ASSERT_TRUE(index->Put(slot, points[slot]).ok());
    EXPECT_EQ(MustSearch(*index, points[slot], Nearest(1))[0].slot, slot);
  }
  EXPECT_TRUE(Reclaims(*index)) << index->Stats().tombstones;
  WaitUntilIndexed(*index);
  EXPECT_EQ(index->Stats().unindexed, 0U);
  EXPECT_GE(MeanRecall(*index, points), 0.9);
}

TEST(Churn, AnIndexEmptiedAndFilledAgainIsWhole) {
  VectorSource source(kDim, Metric::kL2, 4);
  const auto index = MakeIndex(kConfig, Metric::kL2, kDim);
  PutAll(*index, source.Take(kCount));
  WaitUntilIndexed(*index);
  for (Slot slot = 0; slot < kCount; ++slot) index->Remove(slot);
  EXPECT_TRUE(MustSearch(*index, source.Next(), Nearest(10)).empty());
  EXPECT_TRUE(Reclaims(*index)) << index->Stats().tombstones;
  const auto points = PutAll(*index, source.Take(kCount));
  WaitUntilIndexed(*index);
  EXPECT_EQ(index->Stats().live, kCount);
  EXPECT_GE(MeanRecall(*index, points), 0.9);
}

TEST(Churn, AnIndexIsDestroyedPromptlyWhileItLinks) {
  VectorSource source(kDim, Metric::kL2, 5);
  auto index = MakeIndex(HnswConfig{}, Metric::kL2, kDim);
  PutAll(*index, source.Take(20'000));
  const absl::Time begin = absl::Now();
  index.reset();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(5));
}

}  // namespace
}  // namespace vettore
