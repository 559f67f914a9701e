// The flat index judges IVF: recall, filters, churn, and what it does while it trains and splits.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "index/test_data.h"
#include "support/temporary_directory.h"

namespace vettore {
namespace {

constexpr size_t kDim = 48;
constexpr size_t kCount = 8'000;

IndexSearchOptions Probing(size_t k, uint32_t nprobe) {
  IndexSearchOptions options = Nearest(k);
  options.nprobe = nprobe;
  return options;
}

IndexSearchOptions Filtered(const SlotBitmap& allowed) {
  IndexSearchOptions options = Nearest(10);
  options.allowed = &allowed;
  options.allowed_count = allowed.Count();
  return options;
}

class IvfOracle : public testing::TestWithParam<std::tuple<IvfEncoding, Metric>> {
 protected:
  IvfOracle()
      : ivf_(MakeIndex(IvfConfig{.encoding = std::get<0>(GetParam())}, metric(), kDim)),
        flat_(MakeIndex(FlatConfig{}, metric(), kDim)) {
    const std::vector<Vector> vectors = VectorSource(kDim, metric(), 3).Take(kCount);
    PutAll(*ivf_, vectors);
    PutAll(*flat_, vectors);
    WaitUntilIndexed(*ivf_);
  }

  Metric metric() const { return std::get<1>(GetParam()); }

  // Mean recall@k over queries, and that each answer is complete, true and comes by `plan`.
  double RecallOf(const IndexSearchOptions& options, std::string_view plan) {
    constexpr size_t kQueries = 100;
    double recall = 0;
    for (const Vector& query : VectorSource(kDim, metric(), 4).Take(kQueries)) {
      IndexSearchTrace trace;
      const auto found = MustSearch(*ivf_, query, options, &trace);
      const auto wanted = MustSearch(*flat_, query, options);
      EXPECT_EQ(trace.plan, plan);
      EXPECT_GT(trace.distances, 0U);
      EXPECT_EQ(found.size(), wanted.size());
      EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
      std::vector<double> truth;
      for (const Neighbor& neighbor : wanted) truth.push_back(neighbor.distance);
      recall += Recall(found, truth) / kQueries;
    }
    return recall;
  }

  std::unique_ptr<VectorIndex> ivf_;
  std::unique_ptr<VectorIndex> flat_;
};

TEST_P(IvfOracle, TheListsFindNearlyAll) { EXPECT_GE(RecallOf(Nearest(10), "lists"), 0.95); }

TEST_P(IvfOracle, MoreListsFindMore) {
  // More neighbours than a list holds.
  const double few = RecallOf(Probing(100, 2), "lists");
  const double many = RecallOf(Probing(100, 60), "lists");
  EXPECT_GT(many, few + 0.02);
  EXPECT_GE(many, 0.95);
}

TEST_P(IvfOracle, AnExactSearchFindsAll) {
  EXPECT_NEAR(RecallOf(NearestExactly(10), "exact scan"), 1, 1e-9);
}

TEST_P(IvfOracle, ALargeKIsFilledFromFartherLists) {
  const auto found = MustSearch(*ivf_, VectorSource(kDim, metric(), 5).Next(), Probing(2'000, 1));
  EXPECT_EQ(found.size(), 2'000U);
}

TEST_P(IvfOracle, AWideFilterIsSearchedInTheLists) {
  SlotBitmap allowed(kCount);
  for (Slot slot = 0; slot < kCount; ++slot) {
    if (slot % 10 < 9) allowed.Insert(slot);
  }
  EXPECT_GE(RecallOf(Filtered(allowed), "filtered lists"), 0.95);
}

TEST_P(IvfOracle, ANarrowFilterIsScanned) {
  SlotBitmap allowed(kCount);
  for (Slot slot = 0; slot < kCount; slot += 100) allowed.Insert(slot);
  EXPECT_NEAR(RecallOf(Filtered(allowed), "exact scan"), 1, 1e-9);
}

TEST_P(IvfOracle, AFilterFarFromTheQueryStillGivesTheNearestAllowed) {
  const Vector query = VectorSource(kDim, metric(), 5).Next();
  const auto order = MustSearch(*flat_, query, Nearest(kCount));
  SlotBitmap allowed(kCount);
  for (size_t i = kCount / 4; i < kCount; ++i) allowed.Insert(order[i].slot);
  const auto found = MustSearch(*ivf_, query, Filtered(allowed));
  ASSERT_EQ(found.size(), 10U);
  for (const Neighbor& neighbor : found) EXPECT_TRUE(allowed.Contains(neighbor.slot));
}

TEST_P(IvfOracle, RemovedAndReplacedSlotsAreNotFoundInTheLists) {
  VectorSource source(kDim, metric(), 6);
  for (Slot slot = 0; slot < 3'000; ++slot) {
    if (slot % 2 == 0) {
      ivf_->Remove(slot);
      flat_->Remove(slot);
    } else {
      const Vector vector = source.Next();
      ASSERT_TRUE(ivf_->Put(slot, vector).ok());
      ASSERT_TRUE(flat_->Put(slot, vector).ok());
    }
  }
  EXPECT_GE(RecallOf(Nearest(10), "lists"), 0.95);
  WaitUntilIndexed(*ivf_);
  EXPECT_EQ(ivf_->Stats().unindexed, 0U);
  EXPECT_EQ(ivf_->Stats().live, kCount - 1'500);
  EXPECT_GE(RecallOf(Nearest(10), "lists"), 0.95);
}

INSTANTIATE_TEST_SUITE_P(EveryEncodingAndMetric, IvfOracle,
                         testing::Combine(testing::Values(IvfEncoding::kFlat, IvfEncoding::kPq4,
                                                          IvfEncoding::kPq8, IvfEncoding::kRaBitQ),
                                          testing::Values(Metric::kL2, Metric::kInnerProduct,
                                                          Metric::kCosine)),
                         [](const testing::TestParamInfo<std::tuple<IvfEncoding, Metric>>& row) {
                           return std::string(NameOf(std::get<0>(row.param))) + "_" +
                                  std::string(NameOf(std::get<1>(row.param)));
                         });

// What the lists store is what the encoding says, beside the vectors in the order of their rows.
TEST(Ivf, TheListsTakeTheBytesOfWhatTheyHold) {
  const std::vector<Vector> vectors = VectorSource(kDim, Metric::kL2, 7).Take(kCount);
  std::map<IvfEncoding, size_t> bytes;
  for (const IvfEncoding encoding :
       {IvfEncoding::kFlat, IvfEncoding::kPq4, IvfEncoding::kPq8, IvfEncoding::kRaBitQ}) {
    const auto index = MakeIndex(IvfConfig{.nlist = 50, .encoding = encoding}, Metric::kL2, kDim);
    PutAll(*index, vectors);
    WaitUntilIndexed(*index);
    bytes[encoding] = index->Stats().memory_bytes;
  }
  // 24 codes of 4 bits; 6 of 8, whose codewords take as much again. The last block of a list is
  // full by half.
  constexpr double kVector = kDim * sizeof(float);
  const double pq4 = static_cast<double>(bytes[IvfEncoding::kFlat] - bytes[IvfEncoding::kPq4]);
  const double pq8 = static_cast<double>(bytes[IvfEncoding::kFlat] - bytes[IvfEncoding::kPq8]);
  EXPECT_NEAR(kVector - pq4 / kCount, 12, 3);
  EXPECT_NEAR(kVector - pq8 / kCount, 12, 3);
  // 48 bits and a factor.
  const double bits = static_cast<double>(bytes[IvfEncoding::kFlat] - bytes[IvfEncoding::kRaBitQ]);
  EXPECT_NEAR(kVector - bits / kCount, 10, 3);
  EXPECT_GT(bytes[IvfEncoding::kFlat], kCount * 2 * kVector);
}

TEST(Ivf, WithAFolderListsHoldTheOnlyVectorsInMemory) {
  const TemporaryDirectory folder;
  const auto index = MakeIndex(IvfConfig{}, Metric::kL2, kDim, {.folder = folder.path()});
  PutAll(*index, VectorSource(kDim, Metric::kL2, 7).Take(kCount));
  WaitUntilIndexed(*index);
  constexpr size_t kVectors = kCount * kDim * sizeof(float);
  EXPECT_EQ(index->Stats().mapped_bytes, kVectors);
  EXPECT_GT(index->Stats().memory_bytes, kVectors);
  EXPECT_LT(index->Stats().memory_bytes, kVectors * 14 / 10);
}

TEST(Ivf, TooFewToTrainOnAreScannedAndWaitForNothing) {
  const auto index = MakeIndex(IvfConfig{.nlist = 100}, Metric::kL2, 8);
  const auto points = PutAll(*index, VectorSource(8, Metric::kL2, 8).Take(3'000));
  WaitUntilIndexed(*index);
  EXPECT_EQ(index->Stats().unindexed, 0U);
  IndexSearchTrace trace;
  MustSearch(*index, points.at(5), Probing(10, 1), &trace);
  EXPECT_EQ(trace.plan, "exact scan");
}

TEST(Ivf, ARowThatHoldsNoNumbersWorthCodingIsStillFound) {
  // The residuals and products of such vectors overflow.
  for (const IvfEncoding encoding :
       {IvfEncoding::kFlat, IvfEncoding::kPq4, IvfEncoding::kPq8, IvfEncoding::kRaBitQ}) {
    const auto index = MakeIndex(IvfConfig{.encoding = encoding}, Metric::kL2, 8);
    std::mt19937 random(9);
    for (Slot slot = 0; slot < 2'500; ++slot) {
      Vector huge(8);
      for (float& entry : huge) entry = random() % 2 == 0 ? 3e38F : -3e38F;
      ASSERT_TRUE(index->Put(slot, huge).ok());
    }
    WaitUntilIndexed(*index);
    EXPECT_EQ(MustSearch(*index, Vector(8, 3e38F), Probing(20, 3)).size(), 20U);
    EXPECT_EQ(MustSearch(*index, Vector(8, 1.0F), Probing(20, 3)).size(), 20U);
  }
}

// New rows that all fall near one centroid, fewer than start a new training.
TEST(Ivf, AListThatGrowsIsSplit) {
  const auto index = MakeIndex(IvfConfig{.nlist = 64}, Metric::kL2, kDim);
  VectorSource source(kDim, Metric::kL2, 10);
  auto points = PutAll(*index, source.Take(6'000));
  WaitUntilIndexed(*index);
  const Vector centre = source.Next();
  std::mt19937 random(11);
  std::normal_distribution<float> normal(0, 0.2F);
  for (Slot slot = 6'000; slot < 7'200; ++slot) {
    points[slot] = centre;
    for (float& entry : points[slot]) entry += normal(random);
    ASSERT_TRUE(index->Put(slot, points[slot]).ok());
  }
  WaitUntilIndexed(*index);
  // The centroids and four times the mean size; unsplit, the list would hold all 1,200. Rows are in
  // their lists before these are split.
  const auto is_split = [&] {
    IndexSearchTrace trace;
    for (Slot slot = 6'000; slot < 6'100; ++slot) {
      MustSearch(*index, points[slot], Probing(5, 1), &trace);
      if (trace.distances >= 66U + 4 * 7'200 / 64) return false;
    }
    return true;
  };
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (!is_split() && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_TRUE(is_split());
  double recall = 0;
  for (Slot slot = 6'000; slot < 6'100; ++slot) {
    const auto found = MustSearch(*index, points[slot], Probing(5, 6));
    ExpectTrueNeighbors(found, Metric::kL2, points, points[slot]);
    recall += Recall(found, TrueNearest(Metric::kL2, points, points[slot], 5)) / 100;
  }
  EXPECT_GE(recall, 0.8);
}

double MeanRecall(const VectorIndex& index, const std::map<Slot, Vector>& points) {
  double recall = 0;
  for (const Vector& query : VectorSource(kDim, Metric::kL2, 77).Take(60)) {
    const auto found = MustSearch(index, query, Nearest(10));
    EXPECT_EQ(found.size(), 10U);
    recall += Recall(found, TrueNearest(Metric::kL2, points, query, 10)) / 60;
  }
  return recall;
}

TEST(Ivf, RecallAndMemoryStayAfterSeveralTurnovers) {
  constexpr size_t kFew = 2'500;
  VectorSource source(kDim, Metric::kL2, 12);
  const auto index = MakeIndex(IvfConfig{.encoding = IvfEncoding::kPq4}, Metric::kL2, kDim);
  auto points = PutAll(*index, source.Take(kFew));
  WaitUntilIndexed(*index);
  const double fresh = MeanRecall(*index, points);
  const size_t fresh_bytes = index->Stats().memory_bytes;
  std::mt19937 random(13);
  for (size_t i = 0; i < 5 * kFew; ++i) {
    const Slot slot = random() % kFew;
    points[slot] = source.Next();
    ASSERT_TRUE(index->Put(slot, points[slot]).ok());
    if (i % 500 == 0) WaitUntilIndexed(*index);
  }
  WaitUntilIndexed(*index);
  EXPECT_GE(MeanRecall(*index, points), fresh - 0.03);
  EXPECT_LE(index->Stats().tombstones, kFew);
  EXPECT_LE(index->Stats().memory_bytes, 2 * fresh_bytes);
}

// Rows that die before there are lists are given back too.
TEST(Ivf, UpdatesOfASmallSetDoNotGrowIt) {
  const auto index = MakeIndex(IvfConfig{}, Metric::kL2, 8);
  VectorSource source(8, Metric::kL2, 14);
  for (size_t i = 0; i < 60'000; ++i) {
    ASSERT_TRUE(index->Put(static_cast<Slot>(i % 100), source.Next()).ok());
  }
  EXPECT_EQ(index->Stats().live, 100U);
  EXPECT_LT(index->Stats().tombstones, 5'000U);
}

TEST(Ivf, AnIndexEmptiedAndFilledAgainIsWhole) {
  VectorSource source(kDim, Metric::kL2, 15);
  const auto index = MakeIndex(IvfConfig{.encoding = IvfEncoding::kPq8}, Metric::kL2, kDim);
  PutAll(*index, source.Take(3'000));
  WaitUntilIndexed(*index);
  for (Slot slot = 0; slot < 3'000; ++slot) index->Remove(slot);
  EXPECT_TRUE(MustSearch(*index, source.Next(), Nearest(10)).empty());
  WaitUntilIndexed(*index);
  EXPECT_TRUE(MustSearch(*index, source.Next(), Nearest(10)).empty());
  const auto points = PutAll(*index, source.Take(3'000));
  WaitUntilIndexed(*index);
  EXPECT_EQ(index->Stats().live, 3'000U);
  EXPECT_GE(MeanRecall(*index, points), 0.9);
}

// From nothing through the first training, the next ones and splits, with searches all along.
TEST(Ivf, SearchesAreCompleteWhileItGrows) {
  const auto index = MakeIndex(IvfConfig{.encoding = IvfEncoding::kPq4}, Metric::kL2, kDim);
  const std::vector<Vector> vectors = VectorSource(kDim, Metric::kL2, 16).Take(6'000);
  std::atomic<Slot> put = 0;
  std::thread writer([&] {
    for (Slot slot = 0; slot < vectors.size(); ++slot) {
      EXPECT_TRUE(index->Put(slot, vectors[slot]).ok());
      put = slot + 1;
      if (slot % 7 == 0 && slot > 100) index->Remove(slot - 50);
      if (slot % 600 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  std::vector<std::thread> readers;
  for (uint32_t seed = 1; seed <= 2; ++seed) {
    readers.emplace_back([&, seed] {
      std::mt19937 random(seed);
      while (put < vectors.size() && !testing::Test::HasFailure()) {
        const Slot before = put;
        if (before < 200) continue;
        const Slot slot = before - 1 - random() % 40;  // Not removed yet, and perhaps in no list.
        const auto found = MustSearch(*index, vectors[slot], Probing(20, 4));
        EXPECT_EQ(found.size(), 20U);
        std::set<Slot> slots;
        for (const Neighbor& neighbor : found) slots.insert(neighbor.slot);
        EXPECT_EQ(slots.size(), 20U);
      }
    });
  }
  writer.join();
  for (std::thread& reader : readers) reader.join();
  WaitUntilIndexed(*index);
  EXPECT_EQ(index->Stats().unindexed, 0U);
}

TEST(Ivf, AnIndexIsDestroyedPromptlyWhileItTrains) {
  const std::vector<Vector> vectors = VectorSource(256, Metric::kL2, 17).Take(20'000);
  auto index = MakeIndex(IvfConfig{.encoding = IvfEncoding::kPq8}, Metric::kL2, 256);
  PutAll(*index, vectors);
  const absl::Time begin = absl::Now();
  index.reset();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(5));
}

}  // namespace
}  // namespace vettore
