// Batches of searches: each finds what it finds alone, on one thread and on several.
#include <random>

#include "base/thread_pool.h"
#include "engine/test_database.h"
#include "gmock/gmock.h"

namespace vettore {
namespace {

using ::testing::HasSubstr;

constexpr size_t kDim = 8;
constexpr uint64_t kPoints = 400;

class SearchBatchTest : public ::testing::TestWithParam<IndexConfig> {
 protected:
  SearchBatchTest() : collection_(CreateShared(OneVector(kDim, Metric::kL2, GetParam()))) {
    std::vector<PointWrite> points;
    for (uint64_t i = 0; i < kPoints; ++i) {
      points.push_back(
          MakePoint(PointId(i), Vector(), {{"n", i}, {"text", std::string(100, 'x')}}));
    }
    EXPECT_TRUE(Write(*collection_, Upsert(points)).ok());
    // The plan depends on what the graph has taken.
    EXPECT_TRUE(collection_->WaitUntilIndexed(CancelToken()).ok());
  }

  std::vector<float> Vector() {
    std::normal_distribution<float> normal;
    std::vector<float> vector(kDim);
    for (float& entry : vector) entry = normal(random_);
    return vector;
  }
  SearchRequest Query(uint64_t k = 10) {
    SearchRequest request;
    request.query = Vector();
    request.k = k;
    return request;
  }
  SearchBatchRequest Queries(size_t count) {
    SearchBatchRequest batch;
    for (size_t i = 0; i < count; ++i) batch.searches.push_back(Query());
    return batch;
  }
  absl::StatusOr<std::vector<SearchResult>> Ask(const SearchBatchRequest& batch,
                                                const Helpers& helpers = {}) const {
    return collection_->SearchBatch(batch, {}, helpers, CancelToken());
  }
  void ExpectAsAlone(const SearchBatchRequest& batch, const Helpers& helpers = {}) const {
    const auto together = Ask(batch, helpers);
    ASSERT_TRUE(together.ok()) << together.status();
    ASSERT_EQ(together->size(), batch.searches.size());
    for (size_t i = 0; i < together->size(); ++i) {
      const auto alone = Search(*collection_, batch.searches[i]);
      ASSERT_TRUE(alone.ok()) << alone.status();
      ASSERT_EQ(IdsOf((*together)[i]), IdsOf(*alone)) << "search " << i;
      for (size_t j = 0; j < alone->points.size(); ++j) {
        EXPECT_EQ((*together)[i].points[j].score, alone->points[j].score);
        EXPECT_EQ((*together)[i].points[j].point.payload, alone->points[j].point.payload);
      }
      EXPECT_EQ((*together)[i].plan, alone->plan);
    }
  }

  std::mt19937 random_{5};
  std::shared_ptr<Collection> collection_;
};

INSTANTIATE_TEST_SUITE_P(Indexes, SearchBatchTest,
                         ::testing::Values(IndexConfig(FlatConfig{}), IndexConfig(HnswConfig{})),
                         [](const auto& parameter) {
                           return parameter.param.index() == 0 ? "Flat" : "Hnsw";
                         });

TEST_P(SearchBatchTest, EachFindsWhatItFindsAlone) {
  for (const size_t count : {1, 2, 31, 33, 100}) ExpectAsAlone(Queries(count));
}

TEST_P(SearchBatchTest, SearchesThatDifferStandBesideEachOther) {
  SearchBatchRequest batch = Queries(40);
  for (size_t i = 0; i < batch.searches.size(); ++i) {
    SearchRequest& search = batch.searches[i];
    if (i % 10 >= 6) {
      FieldRange range;
      range.field = "n";
      range.lt = i < 20 ? 100 : 200;
      search.filter = Filter{range};
    }
    if (i % 3 == 0) search.offset = 2, search.k = 8;
    if (i % 7 == 0) search.ef_search = 20;
    if (i % 11 == 0) search.exact = true;
    if (i % 13 == 0) search.score_threshold = 2.5F;
    if (i % 5 == 0) search.selection.payload = false;
  }
  ExpectAsAlone(batch);
}

TEST_P(SearchBatchTest, SeveralThreadsFindTheSame) {
  ThreadPool pool({.threads = 3, .max_queued = 100});
  const Helpers helpers{.most = 3, .schedule = [&pool](std::function<void()> task) {
                          return pool.Schedule(std::move(task));
                        }};
  for (const size_t count : {1, 64, 500}) ExpectAsAlone(Queries(count), helpers);
}

TEST_P(SearchBatchTest, HelpersThatNeverComeAreNotWaitedFor) {
  const Helpers refused{.most = 3, .schedule = [](const std::function<void()>&) {
                          return absl::ResourceExhaustedError("no room");
                        }};
  ExpectAsAlone(Queries(100), refused);
  std::vector<std::function<void()>> late;
  const Helpers lazy{.most = 3, .schedule = [&late](std::function<void()> task) {
                       late.push_back(std::move(task));
                       return absl::OkStatus();
                     }};
  ExpectAsAlone(Queries(100), lazy);
  EXPECT_FALSE(late.empty());
  for (const auto& task : late) task();  // Finds nothing to do.
}

TEST_P(SearchBatchTest, AHelperQueuesAnewAfterEachPart) {
  size_t queued = 0;
  // A queue that nothing else waits in: what is put there runs at once.
  const Helpers helpers{.most = 1, .schedule = [&queued](const std::function<void()>& task) {
                          ++queued;
                          task();
                          return absl::OkStatus();
                        }};
  ExpectAsAlone(Queries(200), helpers);
  EXPECT_GE(queued, 200U / 32);
}

TEST_P(SearchBatchTest, AnErrorNamesTheSearchAndNothingIsAnswered) {
  SearchBatchRequest batch = Queries(5);
  batch.searches[3].query.pop_back();
  const auto found = Ask(batch);
  EXPECT_EQ(found.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(found.status().message()), HasSubstr("searches[3]: query: "));
}

TEST_P(SearchBatchTest, ItsSizeIsBounded) {
  EXPECT_THAT(std::string(Ask({}).status().message()), HasSubstr("searches: 1 to 1000, got 0"));
  EXPECT_THAT(std::string(Ask(Queries(1001)).status().message()),
              HasSubstr("searches: 1 to 1000, got 1001"));
  SearchBatchRequest wide;
  for (int i = 0; i < 11; ++i) wide.searches.push_back(Query(10'000));
  EXPECT_THAT(std::string(Ask(wide).status().message()), HasSubstr("at most 100000, got 110000"));
}

TEST_P(SearchBatchTest, AllResultsTogetherFitAReplyOrNoneComes) {
  SearchBatchRequest batch = Queries(90);
  batch.max_bytes = 50'000;  // 900 payloads of more than 100 bytes.
  for (const bool helped : {false, true}) {
    ThreadPool pool({.threads = 2, .max_queued = 100});
    const Helpers helpers{.most = helped ? 2 : 0, .schedule = [&pool](std::function<void()> task) {
                            return pool.Schedule(std::move(task));
                          }};
    const auto found = Ask(batch, helpers);
    EXPECT_EQ(found.status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(std::string(found.status().message()), HasSubstr("50000 bytes"));
  }
  batch.max_bytes = 500'000;
  EXPECT_TRUE(Ask(batch).ok());
}

TEST_P(SearchBatchTest, APassedDeadlineEndsIt) {
  const CancelToken late(absl::Now() - absl::Seconds(1), nullptr);
  EXPECT_EQ(collection_->SearchBatch(Queries(40), {}, {}, late).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace vettore
