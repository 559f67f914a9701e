// Search: order, ties, thresholds, filters and limits, over each kind of index.
#include <random>
#include <set>

#include "engine/test_database.h"
#include "gmock/gmock.h"

namespace vettore {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SearchTest : public ::testing::TestWithParam<IndexConfig> {
 protected:
  static std::shared_ptr<Collection> Create(uint32_t dimension, Metric metric) {
    return CreateShared(OneVector(dimension, metric, GetParam()));
  }
  // Points 0 to n-1 on a line: {i}, payload n = i.
  static std::shared_ptr<Collection> CreateLine(uint64_t count) {
    auto collection = Create(1, Metric::kL2);
    std::vector<PointWrite> points;
    for (uint64_t i = 0; i < count; ++i) {
      points.push_back(MakePoint(PointId(i), {static_cast<float>(i)}, {{"n", i}}));
    }
    EXPECT_TRUE(Write(*collection, Upsert(points)).ok());
    return collection;
  }
};

INSTANTIATE_TEST_SUITE_P(Indexes, SearchTest,
                         ::testing::Values(IndexConfig(FlatConfig{}), IndexConfig(HnswConfig{})),
                         [](const auto& parameter) {
                           return parameter.param.index() == 0 ? "Flat" : "Hnsw";
                         });

SearchRequest Query(std::vector<float> query, uint64_t k) {
  SearchRequest request;
  request.query = std::move(query);
  request.k = k;
  return request;
}

TEST_P(SearchTest, NearestComeFirstWithTheirScores) {
  const auto collection = CreateLine(100);
  const auto result = Search(*collection, Query({41.9F}, 3));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(IdsOf(*result), Numbers({42, 41, 43}));
  EXPECT_NEAR(result->points[0].score, 0.1, 1e-4);  // The L2 distance, not its square.
  EXPECT_EQ(result->points[0].point.payload["n"], 42);
  EXPECT_FALSE(result->plan.empty());
}

TEST_P(SearchTest, OffsetContinuesTheSameOrder) {
  const auto collection = CreateLine(100);
  SearchRequest request = Query({50.2F}, 4);
  request.offset = 3;
  const auto whole = Search(*collection, Query({50.2F}, 7));
  const auto rest = Search(*collection, request);
  const std::vector<PointId> ids = IdsOf(*whole);
  EXPECT_EQ(IdsOf(*rest), std::vector<PointId>(ids.begin() + 3, ids.end()));
  request.offset = 200;
  EXPECT_TRUE(Search(*collection, request)->points.empty());
}

TEST_P(SearchTest, ScoreOfAResultAsThresholdKeepsThatResult) {
  const auto collection = CreateLine(100);
  const auto all = Search(*collection, Query({10.3F}, 20));
  SearchRequest request = Query({10.3F}, 20);
  for (const size_t keep : {1U, 7U, 20U}) {
    request.score_threshold = all->points[keep - 1].score;
    EXPECT_EQ(Search(*collection, request)->points.size(), keep);
  }
}

TEST_P(SearchTest, CosineScoresAreOfNormalisedVectors) {
  const auto collection = Create(2, Metric::kCosine);
  ASSERT_TRUE(
      Write(*collection, Upsert({MakePoint(PointId(1), {10, 0}), MakePoint(PointId(2), {1, 1}),
                                 MakePoint(PointId(3), {-5, 0})}))
          .ok());
  const auto result = Search(*collection, Query({0.5F, 0}, 3));
  EXPECT_EQ(IdsOf(*result), Numbers({1, 2, 3}));
  EXPECT_NEAR(result->points[0].score, 1, 1e-6);
  EXPECT_NEAR(result->points[1].score, 0.70710678, 1e-6);
  EXPECT_NEAR(result->points[2].score, -1, 1e-6);
}

TEST_P(SearchTest, InnerProductRanksTheLargestFirst) {
  const auto collection = Create(2, Metric::kInnerProduct);
  ASSERT_TRUE(
      Write(*collection, Upsert({MakePoint(PointId(1), {1, 0}), MakePoint(PointId(2), {10, 0}),
                                 MakePoint(PointId(3), {-5, 0})}))
          .ok());
  const auto result = Search(*collection, Query({2, 0}, 3));
  EXPECT_EQ(IdsOf(*result), Numbers({2, 1, 3}));
  EXPECT_EQ(result->points[0].score, 20);
}

// Slots follow the order of writing, ids do not: the index alone would return 299 downwards.
TEST_P(SearchTest, EqualScoresAreInTheOrderOfIdsAlsoAtTheLastPlace) {
  const auto collection = Create(1, Metric::kL2);
  for (uint64_t i = 0; i < 300; ++i) {
    ASSERT_TRUE(Write(*collection, Upsert({MakePoint(PointId(299 - i), {1})})).ok());
  }
  EXPECT_EQ(IdsOf(*Search(*collection, Query({1}, 3))), Numbers({0, 1, 2}));
  SearchRequest page = Query({1}, 3);
  page.offset = 3;
  EXPECT_EQ(IdsOf(*Search(*collection, page)), Numbers({3, 4, 5}));
}

TEST_P(SearchTest, FilteredSearchReturnsKWheneverKMatch) {
  const auto collection = CreateLine(2'000);
  SearchRequest request = Query({0}, 10);
  // All that match lie far from the query.
  request.filter = Where(FieldRange{.field = "n", .gt = {}, .gte = 1'985, .lt = {}, .lte = {}});
  const auto result = Search(*collection, request);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(IdsOf(*result), Numbers({1985, 1986, 1987, 1988, 1989, 1990, 1991, 1992, 1993, 1994}));
  request.k = 100;
  EXPECT_EQ(Search(*collection, request)->points.size(), 15U);
  request.filter = Equals("n", int64_t{-1});
  EXPECT_TRUE(Search(*collection, request)->points.empty());
}

TEST_P(SearchTest, WriteIsSeenByTheNextSearchAndADeletedPointIsNot) {
  const auto collection = CreateLine(50);
  ASSERT_TRUE(Write(*collection, Upsert({MakePoint(PointId(3), {1'000})})).ok());
  EXPECT_EQ(IdsOf(*Search(*collection, Query({1'000}, 1))), Numbers({3}));
  ASSERT_TRUE(Write(*collection, Delete(Numbers({3}))).ok());
  EXPECT_EQ(IdsOf(*Search(*collection, Query({1'000}, 2))), Numbers({49, 48}));
}

TEST_P(SearchTest, ImpossibleWindowsAreRefusedBeforeAnythingIsAllocated) {
  const auto collection = CreateLine(5);
  const auto message = [&](uint64_t k, uint64_t offset) {
    SearchRequest request = Query({0}, k);
    request.offset = offset;
    const auto result = Search(*collection, request);
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(result.status().message());
  };
  EXPECT_THAT(message(0, 0), HasSubstr("k: 1 to 10000, got 0"));
  EXPECT_THAT(message(uint64_t{1} << 31, 0),
              HasSubstr("k + offset: at most 10000, got 2147483648 + 0"));
  EXPECT_THAT(message(UINT64_MAX, 1), HasSubstr("at most 10000"));
  EXPECT_THAT(message(1, UINT64_MAX), HasSubstr("at most 10000"));
  EXPECT_THAT(message(5'001, 5'000), HasSubstr("got 5001 + 5000"));
  EXPECT_TRUE(Search(*collection, Query({0}, 10'000)).ok());
}

TEST_P(SearchTest, BadQueriesNameTheFieldAndWhatWasWanted) {
  const auto collection = Create(2, Metric::kCosine);
  const auto message = [&](const SearchRequest& request) {
    const auto result = Search(*collection, request);
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(result.status().message());
  };
  EXPECT_THAT(message(Query({1, 2, 3}, 1)), HasSubstr("query: dimension 3, collection expects 2"));
  EXPECT_THAT(message(Query({1, NAN}, 1)), HasSubstr("query"));
  EXPECT_THAT(message(Query({0, 0}, 1)), HasSubstr("query"));
  SearchRequest request = Query({1, 0}, 1);
  request.vector_name = "title";
  EXPECT_THAT(message(request), HasSubstr("vector 'title' does not exist; the collection has ''"));
  request = Query({1, 0}, 1);
  request.ef_search = 0;
  EXPECT_THAT(message(request), HasSubstr("ef_search: 1 to 4096, got 0"));
  request.ef_search = 4'097;
  EXPECT_THAT(message(request), HasSubstr("ef_search: 1 to 4096, got 4097"));
  request = Query({1, 0}, 1);
  request.nprobe = 0;
  EXPECT_THAT(message(request), HasSubstr("nprobe: 1 to 65536, got 0"));
  request = Query({1, 0}, 1);
  request.score_threshold = NAN;
  EXPECT_THAT(message(request), HasSubstr("score_threshold"));
  request = Query({1, 0}, 1);
  request.filter = Where(FieldRange{.field = "n", .gt = {}, .gte = {}, .lt = {}, .lte = {}});
  EXPECT_FALSE(message(request).empty());
}

TEST_P(SearchTest, ExactSearchSaysSo) {
  const auto collection = CreateLine(200);
  ASSERT_TRUE(collection->WaitUntilIndexed(CancelToken()).ok());
  SearchRequest request = Query({7}, 5);
  request.exact = true;
  const auto result = Search(*collection, request);
  EXPECT_EQ(result->plan, "exact scan");
  EXPECT_EQ(result->distances, 200U);
}

}  // namespace
}  // namespace vettore
