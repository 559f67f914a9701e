#include "types/metric.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/strings.h"

namespace vettore {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Metric, NamesComeBack) {
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
    EXPECT_EQ(ParseMetric(NameOf(metric)).value(), metric);
  }
  EXPECT_EQ(ParseMetric("euclid").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(ParseMetric("").ok());
  EXPECT_FALSE(ParseMetric("L2").ok());
}

TEST(Metric, ScoresAreWhatClientsRead) {
  EXPECT_EQ(ScoreOfDistance(Metric::kL2, 25), 5);
  EXPECT_EQ(ScoreOfDistance(Metric::kInnerProduct, -3), 3);
  EXPECT_EQ(ScoreOfDistance(Metric::kCosine, -0.5f), 0.5f);
}

TEST(Metric, AnL2DistanceRoundedBelowZeroScoresZero) {
  EXPECT_EQ(ScoreOfDistance(Metric::kL2, -1e-7f), 0);
}

// A threshold set to a score that a search returned must keep the point that had it: squaring the
// root alone loses it.
TEST(Metric, TheDistanceOfAScoreIsTheLargestThatStillHasIt) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 100'000; ++round) {
    const float distance =
        std::ldexp(std::uniform_real_distribution<float>(0.5, 1)(random), random() % 120 - 60);
    const float score = ScoreOfDistance(Metric::kL2, distance);
    const float limit = DistanceOfScore(Metric::kL2, score);
    ASSERT_LE(distance, limit);
    ASSERT_LE(ScoreOfDistance(Metric::kL2, limit), score);
    ASSERT_GT(ScoreOfDistance(Metric::kL2, std::nextafter(limit, kInfinity)), score);
  }
}

TEST(Metric, DistancesOfExtremeScoresAreOrdered) {
  EXPECT_EQ(DistanceOfScore(Metric::kL2, 0), 0);
  EXPECT_EQ(DistanceOfScore(Metric::kL2, -1), -kInfinity);  // No point is that near.
  EXPECT_EQ(DistanceOfScore(Metric::kL2, std::numeric_limits<float>::max()), kInfinity);
  EXPECT_EQ(DistanceOfScore(Metric::kL2, kInfinity), kInfinity);
  EXPECT_EQ(DistanceOfScore(Metric::kInnerProduct, 3), -3);
  EXPECT_EQ(DistanceOfScore(Metric::kCosine, 0.5f), -0.5f);
}

}  // namespace
}  // namespace vettore
