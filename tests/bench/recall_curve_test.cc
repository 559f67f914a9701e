// Points of a curve, the search for settings around a recall, recall itself, quantiles.
#include "bench/recall_curve.h"

#include <sched.h>

#include <algorithm>

#include "bench/fixture.h"
#include "bench/measure.h"

namespace vettore::bench {
namespace {

using testing::Each;
using testing::ElementsAre;

TEST(RecallCurve, InterpolatesLogQpsBetweenItsNeighbours) {
  const std::vector<CurvePoint> points = {{.recall = 0.98, .qps = 100, .p99_us = 400},
                                          {.recall = 0.90, .qps = 10'000, .p99_us = 100}};
  const auto at = AtRecall(points, 0.94);
  ASSERT_TRUE(at.has_value());
  EXPECT_NEAR(at->qps, 1'000, 1e-6);
  EXPECT_NEAR(at->p99_us, 200, 1e-6);
  EXPECT_NEAR(AtRecall(points, 0.98)->qps, 100, 1e-6);
  EXPECT_EQ(AtRecall(points, 0.99), std::nullopt);
  EXPECT_EQ(AtRecall({}, 0.5), std::nullopt);
  // Nothing is extrapolated: a system that is better from the start is taken as it is.
  EXPECT_EQ(AtRecall(points, 0.5)->qps, 10'000);
}

TEST(RecallCurve, LeavesOutPointsThatAnotherBeats) {
  const std::vector<CurvePoint> points = {{.recall = 0.90, .qps = 1'000, .p99_us = 1},
                                          {.recall = 0.94, .qps = 10, .p99_us = 1},
                                          {.recall = 0.96, .qps = 1'000, .p99_us = 1}};
  EXPECT_NEAR(AtRecall(points, 0.93)->qps, 1'000, 1e-6);
}

double Saturating(uint32_t ef) { return 1 - 1.0 / ef; }

TEST(BracketingEfs, StandCloselyAroundEachTarget) {
  int calls = 0;
  const auto efs =
      BracketingEfs([&](uint32_t ef) -> absl::StatusOr<double> { return ++calls, Saturating(ef); },
                    {.least = 10, .most = 4'096}, {0.95, 0.99});
  ASSERT_TRUE(efs.ok());
  for (const double target : {0.95, 0.99}) {
    EXPECT_TRUE(std::any_of(efs->begin(), efs->end(), [&](uint32_t ef) {
      return Saturating(ef) < target && Saturating(ef) >= target - 0.01;
    }));
    EXPECT_TRUE(std::any_of(efs->begin(), efs->end(), [&](uint32_t ef) {
      return Saturating(ef) >= target && Saturating(ef) <= target + 0.01;
    }));
  }
  EXPECT_TRUE(std::is_sorted(efs->begin(), efs->end()));
  EXPECT_LT(calls, 30);
}

TEST(BracketingEfs, EndAtTheRangeWhereTargetsLieOutside) {
  const auto constant = [](double recall) {
    return [recall](uint32_t) -> absl::StatusOr<double> { return recall; };
  };
  const EfRange range{.least = 10, .most = 100};
  EXPECT_THAT(*BracketingEfs(constant(1), range, {0.9, 0.99}), ElementsAre(10));
  EXPECT_THAT(*BracketingEfs(constant(0.5), range, {0.9, 0.99}), ElementsAre(100));
  const auto failing = [](uint32_t) -> absl::StatusOr<double> {
    return absl::InternalError("it broke");
  };
  EXPECT_EQ(BracketingEfs(failing, range, {0.9}).status().message(), "it broke");
}

TEST(Quantile, IsTheNearestValue) {
  const std::vector<double> values = {5, 1, 4, 2, 3};
  EXPECT_EQ(Quantile(values, 0), 1);
  EXPECT_EQ(Quantile(values, 0.5), 3);
  EXPECT_EQ(Quantile(values, 1), 5);
  EXPECT_EQ(Quantile({7}, 0.99), 7);
  const Spread spread = SpreadOf(values);
  EXPECT_EQ(spread.median, 3);
  EXPECT_EQ(spread.min, 1);
  EXPECT_EQ(spread.max, 5);
}

// Rows 0, 1, 1, 2, 5 on a line; the query is 0.
class RecallTest : public testing::Test {
 protected:
  static double RecallOf(std::vector<int32_t> truth, std::vector<int32_t> found) {
    const Matrix<float> base{.values = {0, 1, 1, 2, 5}, .count = 5, .dim = 1};
    const Matrix<float> queries{.values = {0}, .count = 1, .dim = 1};
    const size_t k = found.size();
    const Neighbors exact{.values = truth, .count = 1, .dim = truth.size()};
    return RecallAtK({.base = base, .queries = queries, .truth = exact, .k = k},
                     {.values = std::move(found), .count = 1, .dim = k});
  }
};

TEST_F(RecallTest, IsTheShareOfTheTrueNearestThatWasFound) {
  EXPECT_EQ(RecallOf({0, 1, 2, 3}, {0, 1, 2, 3}), 1);
  EXPECT_EQ(RecallOf({0, 1, 2, 3}, {0, 1, 2, 4}), 0.75);
  EXPECT_EQ(RecallOf({0, 1, 2, 3}, {0, kNoRow, kNoRow, kNoRow}), 0.25);
}

TEST_F(RecallTest, ATieWithTheFarthestCounts) { EXPECT_EQ(RecallOf({0, 1, 2}, {0, 2}), 1); }

TEST_F(RecallTest, WhereFewerThanKExistTheyAreAll) {
  EXPECT_EQ(RecallOf({0, kNoRow, kNoRow}, {0, kNoRow, kNoRow}), 1);
  EXPECT_EQ(RecallOf({kNoRow}, {kNoRow}), 1);
}

TEST(RunPass, AsksEveryQueryOnceAndKeepsItsRows) {
  for (const size_t batch : {1, 2, 3, 50}) {
    const AnswerFn answer = [batch](size_t first, std::span<std::vector<int32_t>> rows) {
      EXPECT_EQ(rows.size(), std::min(batch, 3 - first));
      for (size_t i = 0; i < rows.size(); ++i) {
        EXPECT_TRUE(rows[i].empty());
        rows[i] = {static_cast<int32_t>(first + i), 100, 200};  // More than k is cut off.
        if (first + i == 1) rows[i].resize(1);
      }
      return absl::OkStatus();
    };
    const PassShape shape{.queries = 3, .k = 2, .batch = batch};
    for (const int threads : {1, 4}) {
      const auto pass =
          threads == 1 ? RunPass(shape, answer) : RunPassOnThreads(shape, threads, answer);
      ASSERT_TRUE(pass.ok());
      EXPECT_THAT(pass->found.values, ElementsAre(0, 100, 1, kNoRow, 2, 100));
      EXPECT_EQ(pass->latencies_us.size(), (3 + batch - 1) / batch);
      EXPECT_THAT(pass->latencies_us, Each(testing::Gt(0)));
      EXPECT_GT(pass->cpu_s, 0);
      EXPECT_GT(pass->wall_s, 0);
    }
  }
}

TEST(RunPass, AFailureEndsIt) {
  const AnswerFn answer = [](size_t first, std::span<std::vector<int32_t>>) {
    return first == 5 ? absl::InternalError("it broke") : absl::OkStatus();
  };
  EXPECT_EQ(RunPass({.queries = 10, .k = 2}, answer).status().message(), "it broke");
  EXPECT_EQ(RunPassOnThreads({.queries = 10, .k = 2}, 3, answer).status().message(), "it broke");
}

TEST(PinnedThread, GivesTheThreadItsCoresBack) {
  cpu_set_t before;
  sched_getaffinity(0, sizeof(before), &before);
  {
    const PinnedThread pinned;
    cpu_set_t now;
    sched_getaffinity(0, sizeof(now), &now);
    EXPECT_EQ(CPU_COUNT(&now), 1);
  }
  cpu_set_t after;
  sched_getaffinity(0, sizeof(after), &after);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

}  // namespace
}  // namespace vettore::bench
