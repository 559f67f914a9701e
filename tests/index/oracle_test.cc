// FAISS judges the flat index; the flat index judges HNSW.
#include <faiss/IndexFlat.h>
#include <gtest/gtest.h>

#include "index/test_data.h"

namespace vettore {
namespace {

TEST(Flat, AgreesWithFaiss) {
  constexpr size_t kDim = 37;
  constexpr size_t kCount = 3000;
  constexpr size_t kK = 15;
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
    const auto index = MakeIndex(FlatConfig{}, metric, kDim);
    faiss::IndexFlat oracle(kDim,
                            metric == Metric::kL2 ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT);
    for (const auto& [slot, vector] : PutAll(*index, VectorSource(kDim, metric, 1).Take(kCount))) {
      oracle.add(1, vector.data());
    }
    for (const Vector& query : VectorSource(kDim, metric, 2).Take(50)) {
      float distances[kK];
      faiss::Index::idx_t ids[kK];
      oracle.search(1, query.data(), kK, distances, ids);
      const auto found = MustSearch(*index, query, Nearest(kK));
      ASSERT_EQ(found.size(), kK);
      for (size_t i = 0; i < kK; ++i) {
        EXPECT_EQ(found[i].slot, static_cast<Slot>(ids[i])) << NameOf(metric) << " place " << i;
        const float wanted = metric == Metric::kL2 ? distances[i] : -distances[i];
        EXPECT_NEAR(found[i].distance, wanted, 1e-3);
      }
    }
  }
}

class HnswOracle : public testing::TestWithParam<Metric> {
 protected:
  static constexpr size_t kDim = 48;
  static constexpr size_t kCount = 8'000;

  explicit HnswOracle(size_t count = kCount)
      : count_(count),
        hnsw_(MakeIndex(HnswConfig{.m = 16, .ef_construction = 100, .ef_search = 64}, GetParam(),
                        kDim)),
        flat_(MakeIndex(FlatConfig{}, GetParam(), kDim)) {
    const std::vector<Vector> vectors = VectorSource(kDim, GetParam(), 3).Take(count);
    PutAll(*hnsw_, vectors);
    PutAll(*flat_, vectors);
    WaitUntilIndexed(*hnsw_);
  }

  // Mean recall@10 over queries, and that each answer is complete and comes by `plan`.
  double RecallOf(const IndexSearchOptions& options, std::string_view plan) {
    constexpr size_t kQueries = 100;
    double recall = 0;
    for (const Vector& query : VectorSource(kDim, GetParam(), 4).Take(kQueries)) {
      IndexSearchTrace trace;
      const auto found = MustSearch(*hnsw_, query, options, &trace);
      const auto wanted = MustSearch(*flat_, query, options);
      EXPECT_EQ(trace.plan, plan);
      EXPECT_GT(trace.distances, 0U);
      EXPECT_EQ(found.size(), wanted.size());
      std::vector<double> truth;
      for (const Neighbor& neighbor : wanted) truth.push_back(neighbor.distance);
      recall += Recall(found, truth) / kQueries;
    }
    return recall;
  }

  IndexSearchOptions Filtered(const SlotBitmap& allowed) const {
    IndexSearchOptions options = Nearest(10);
    options.allowed = &allowed;
    options.allowed_count = allowed.Count();
    return options;
  }

  const size_t count_;
  std::unique_ptr<VectorIndex> hnsw_;
  std::unique_ptr<VectorIndex> flat_;
};

TEST_P(HnswOracle, TheGraphFindsNearlyAll) { EXPECT_GE(RecallOf(Nearest(10), "graph"), 0.97); }

TEST_P(HnswOracle, AGraphOfOneBitCodesFindsNearlyAllOfManyDimensions) {
  constexpr size_t kManyDimensions = 256;
  hnsw_ = MakeIndex(HnswConfig{.ef_construction = 100, .quantization = Quantization::kRaBitQ},
                    GetParam(), kManyDimensions);
  flat_ = MakeIndex(FlatConfig{}, GetParam(), kManyDimensions);
  const std::vector<Vector> vectors = VectorSource(kManyDimensions, GetParam(), 3).Take(4'000);
  PutAll(*hnsw_, vectors);
  PutAll(*flat_, vectors);
  WaitUntilIndexed(*hnsw_);
  EXPECT_EQ(hnsw_->Stats().quantization, Quantization::kRaBitQ);
  double recall = 0;
  for (const Vector& query : VectorSource(kManyDimensions, GetParam(), 4).Take(100)) {
    std::vector<double> truth;
    for (const Neighbor& neighbor : MustSearch(*flat_, query, Nearest(10))) {
      truth.push_back(neighbor.distance);
    }
    recall += Recall(MustSearch(*hnsw_, query, NearestInGraph(10, 128)), truth) / 100;
  }
  EXPECT_GE(recall, 0.95);
}

TEST_P(HnswOracle, AnExactSearchFindsAll) {
  EXPECT_NEAR(RecallOf(NearestExactly(10), "exact scan"), 1, 1e-9);
}

TEST_P(HnswOracle, AWideFilterIsSearchedInTheGraph) {
  SlotBitmap allowed(kCount);
  for (Slot slot = 0; slot < kCount; ++slot) {
    if (slot % 10 < 7) allowed.Insert(slot);
  }
  EXPECT_GE(RecallOf(Filtered(allowed), "filtered graph"), 0.97);
}

TEST_P(HnswOracle, AFilterOfAHandfulIsScanned) {
  SlotBitmap allowed(kCount);
  for (Slot slot = 0; slot < kCount; slot += 200) allowed.Insert(slot);
  EXPECT_NEAR(RecallOf(Filtered(allowed), "exact scan"), 1, 1e-9);
}

TEST_P(HnswOracle, ANarrowFilterIsScannedByCode) {
  SlotBitmap allowed(kCount);
  for (Slot slot = 0; slot < kCount; slot += 8) allowed.Insert(slot);
  EXPECT_GE(RecallOf(Filtered(allowed), "code scan"), 0.995);
}

TEST_P(HnswOracle, AScanByCodeSeesWhatIsNotLinkedAndNotWhatIsRemoved) {
  SlotBitmap allowed(kCount + 100);
  for (Slot slot = 0; slot < kCount + 100; slot += 8) allowed.Insert(slot);
  VectorSource source(kDim, GetParam(), 9);
  for (Slot slot = 0; slot < 400; slot += 8) {
    hnsw_->Remove(slot);
    flat_->Remove(slot);
  }
  for (Slot slot = 400; slot < kCount + 100; slot += 40) {
    const Vector vector = source.Next();
    ASSERT_TRUE(hnsw_->Put(slot, vector).ok());
    ASSERT_TRUE(flat_->Put(slot, vector).ok());
  }
  EXPECT_GE(RecallOf(Filtered(allowed), "code scan"), 0.995);
}

TEST_P(HnswOracle, TombstonesArePassedThrough) {
  for (Slot slot = 0; slot < 900; ++slot) {  // Fewer than start a rebuild.
    hnsw_->Remove(slot);
    flat_->Remove(slot);
  }
  EXPECT_EQ(hnsw_->Stats().tombstones, 900U);
  EXPECT_GE(RecallOf(Nearest(10), "graph"), 0.97);
}

TEST_P(HnswOracle, AFilterFarFromTheQueryStillGivesTheNearestAllowed) {
  const Vector query = VectorSource(kDim, GetParam(), 5).Next();
  const auto order = MustSearch(*flat_, query, Nearest(kCount));
  SlotBitmap allowed(kCount);
  for (size_t i = kCount / 2; i < kCount; ++i) allowed.Insert(order[i].slot);
  const auto found = MustSearch(*hnsw_, query, Filtered(allowed));
  const auto wanted = MustSearch(*flat_, query, Filtered(allowed));
  ASSERT_EQ(found.size(), 10U);
  std::vector<double> truth;
  for (const Neighbor& neighbor : wanted) truth.push_back(neighbor.distance);
  EXPECT_GE(Recall(found, truth), 0.8);
}

class HnswWidenedOracle : public HnswOracle {
 protected:
  HnswWidenedOracle() : HnswOracle(30'000) {}

  // So few candidates that codes are not scanned instead.
  IndexSearchOptions FewCandidates(const SlotBitmap& allowed) const {
    IndexSearchOptions options = Filtered(allowed);
    options.ef_search = 20;
    return options;
  }
};

TEST_P(HnswWidenedOracle, AFilterOfAThirdIsSearched) {
  SlotBitmap allowed(count_);
  for (Slot slot = 0; slot < count_; slot += 3) allowed.Insert(slot);
  EXPECT_GE(RecallOf(FewCandidates(allowed), "filtered graph"), 0.9);
}

// The allowed are the farthest: the way to them leads through what is not allowed.
TEST_P(HnswWidenedOracle, AFilterThatLiesFarGivesTheNearestAllowed) {
  const Vector query = VectorSource(kDim, GetParam(), 5).Next();
  const auto order = MustSearch(*flat_, query, Nearest(count_));
  SlotBitmap allowed(count_);
  for (size_t i = count_ - 11'000; i < count_; ++i) allowed.Insert(order[i].slot);
  const auto found = MustSearch(*hnsw_, query, FewCandidates(allowed));
  const auto wanted = MustSearch(*flat_, query, Filtered(allowed));
  ASSERT_EQ(found.size(), 10U);
  std::vector<double> truth;
  for (const Neighbor& neighbor : wanted) truth.push_back(neighbor.distance);
  EXPECT_GE(Recall(found, truth), 0.5);
}

INSTANTIATE_TEST_SUITE_P(EveryMetric, HnswWidenedOracle,
                         testing::Values(Metric::kL2, Metric::kInnerProduct, Metric::kCosine),
                         [](const testing::TestParamInfo<Metric>& row) {
                           return std::string(NameOf(row.param));
                         });

INSTANTIATE_TEST_SUITE_P(EveryMetric, HnswOracle,
                         testing::Values(Metric::kL2, Metric::kInnerProduct, Metric::kCosine),
                         [](const testing::TestParamInfo<Metric>& row) {
                           return std::string(NameOf(row.param));
                         });

}  // namespace
}  // namespace vettore
