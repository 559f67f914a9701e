// Which lists are probed: by codes of the centroids as by the centroids.
#include "index/lists/list_ranking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "index/test_data.h"

namespace vettore {
namespace {

constexpr size_t kDim = 48;

std::shared_ptr<const Centroids> MakeCentroids(const std::vector<Vector>& vectors) {
  std::vector<float> values;
  for (const Vector& vector : vectors) values.insert(values.end(), vector.begin(), vector.end());
  return std::make_shared<const Centroids>(std::move(values), vectors.front().size());
}

std::vector<const float*> PointersTo(const std::vector<Vector>& vectors) {
  std::vector<const float*> pointers;
  for (const Vector& vector : vectors) pointers.push_back(vector.data());
  return pointers;
}

class ListRankings : public testing::TestWithParam<Metric> {
 protected:
  VectorSource Source(uint32_t seed) const { return {kDim, GetParam(), seed}; }
};

TEST_P(ListRankings, CodesFindTheNearestLists) {
  const ListRanking ranking(MakeCentroids(Source(1).Take(3'000)), GetParam());
  const std::vector<Vector> queries = Source(2).Take(100);
  size_t missed = 0;
  for (const size_t count : {1, 8, 200}) {
    const auto nearest = ranking.Nearest(PointersTo(queries), count);
    for (size_t q = 0; q < queries.size(); ++q) {
      std::vector<Probe> truth = ranking.All(queries[q].data());
      truth.resize(count);
      ASSERT_EQ(nearest[q].size(), count);
      EXPECT_TRUE(std::is_sorted(nearest[q].begin(), nearest[q].end()));
      for (const Probe& probe : nearest[q]) missed += probe.key > truth.back().key ? 1 : 0;
    }
  }
  EXPECT_LE(missed, 100U * 209 / 1'000);
}

TEST_P(ListRankings, KeysAreThoseOfTheCentroids) {
  const auto centroids = MakeCentroids(Source(3).Take(500));
  const ListRanking ranking(centroids, GetParam());
  const Vector query = Source(4).Next();
  const float* const queries[] = {query.data()};
  const auto nearest = ranking.Nearest(queries, 20);
  for (const Probe& probe : nearest.front()) {
    double key = 0;
    for (size_t i = 0; i < kDim; ++i) {
      const double c = centroids->row(probe.list)[i];
      key += GetParam() == Metric::kInnerProduct ? -c * query[i] : c * c - 2 * c * query[i];
    }
    EXPECT_NEAR(probe.key, key, 1e-3);
  }
}

TEST_P(ListRankings, QueriesTogetherFindWhatEachFindsAlone) {
  const ListRanking ranking(MakeCentroids(Source(5).Take(1'000)), GetParam());
  const std::vector<Vector> queries = Source(6).Take(40);
  const auto together = ranking.Nearest(PointersTo(queries), 30);
  for (size_t q = 0; q < queries.size(); ++q) {
    const float* const alone[] = {queries[q].data()};
    const auto expected = ranking.Nearest(alone, 30).front();
    for (size_t i = 0; i < 30; ++i) EXPECT_EQ(together[q][i].list, expected[i].list);
  }
}

TEST_P(ListRankings, WhatOverflowsIsRankedByTheCentroids) {
  std::vector<Vector> vectors = Source(7).Take(200);
  const std::vector<Vector> queries = {Vector(kDim, 3e38F), Source(8).Next()};
  for (const bool has_huge_centroid : {false, true}) {
    if (has_huge_centroid) vectors[5] = Vector(kDim, -3e38F);
    const ListRanking ranking(MakeCentroids(vectors), GetParam());
    for (const Vector& query : queries) {
      const float* const alone[] = {query.data()};
      const auto nearest = ranking.Nearest(alone, 10).front();
      const auto all = ranking.All(query.data());
      for (size_t i = 0; i < 10; ++i) EXPECT_EQ(nearest[i].list, all[i].list);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryMetric, ListRankings,
                         testing::Values(Metric::kL2, Metric::kInnerProduct, Metric::kCosine),
                         [](const auto& row) { return std::string(NameOf(row.param)); });

}  // namespace
}  // namespace vettore
