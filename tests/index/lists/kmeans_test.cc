// What k-means promises: near centroids, even clusters, the same result for the same seed.
#include "index/lists/kmeans.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <thread>

#include "index/test_data.h"

namespace vettore {
namespace {

constexpr size_t kDim = 20;

std::vector<const float*> Pointers(const std::vector<Vector>& vectors) {
  std::vector<const float*> pointers;
  for (const Vector& vector : vectors) pointers.push_back(vector.data());
  return pointers;
}

Centroids MustTrain(const std::vector<const float*>& points, const KMeansOptions& options) {
  SharedLoop loop;
  auto trained = TrainKMeans(points, kDim, options, loop);
  EXPECT_TRUE(trained.ok()) << trained.status();
  return *std::move(trained);
}

struct Clustering {
  double mean_distance = 0;
  std::vector<size_t> sizes;
};

Clustering Assign(const Centroids& centroids, const std::vector<const float*>& points) {
  std::vector<uint32_t> nearest(points.size());
  AssignToNearest(centroids, points, {}, nearest);
  Clustering clustering{.sizes = std::vector<size_t>(centroids.count())};
  for (size_t i = 0; i < points.size(); ++i) {
    clustering.mean_distance +=
        simd::Active().l2_squared(points[i], centroids.row(nearest[i]), kDim);
    ++clustering.sizes[nearest[i]];
  }
  clustering.mean_distance /= static_cast<double>(points.size());
  return clustering;
}

// 1 when all clusters have the same size; the cost of scanning one, relative to that.
double Imbalance(const Clustering& clustering) {
  double squares = 0;
  double total = 0;
  for (const size_t size : clustering.sizes) {
    squares += static_cast<double>(size) * static_cast<double>(size);
    total += static_cast<double>(size);
  }
  return squares * static_cast<double>(clustering.sizes.size()) / (total * total);
}

// Clusters of very different sizes.
std::vector<Vector> SkewedVectors() {
  std::vector<Vector> vectors;
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  for (size_t cluster = 0; cluster < 40; ++cluster) {
    Vector centre(kDim);
    for (float& entry : centre) entry = 4 * normal(random);
    for (size_t i = 0; i < 4000 / (cluster + 1); ++i) {
      vectors.push_back(centre);
      for (float& entry : vectors.back()) entry += normal(random);
    }
  }
  return vectors;
}

TEST(KMeans, AssignsEachPointToTheNearestCentroid) {
  for (const size_t count : {1, 3, 4, 7, 300}) {
    const std::vector<Vector> rows = VectorSource(kDim, Metric::kL2, 1).Take(count);
    std::vector<float> values;
    for (const Vector& row : rows) values.insert(values.end(), row.begin(), row.end());
    const Centroids centroids(values, kDim);
    const std::vector<Vector> points = VectorSource(kDim, Metric::kL2, 2).Take(150);
    std::vector<uint32_t> nearest(points.size());
    AssignToNearest(centroids, Pointers(points), {}, nearest);
    for (size_t i = 0; i < points.size(); ++i) {
      double least = std::numeric_limits<double>::infinity();
      for (const Vector& row : rows) {
        least = std::min(least, TrueDistance(Metric::kL2, points[i], row));
      }
      EXPECT_NEAR(TrueDistance(Metric::kL2, points[i], rows[nearest[i]]), least, 1e-3);
    }
  }
}

TEST(KMeans, APenaltyTurnsPointsAway) {
  const Centroids centroids(std::vector<float>(2 * kDim, 1.0F), kDim);
  const Vector point(kDim, 1.0F);
  const float* const points[] = {point.data()};
  uint32_t nearest[1];
  const float penalties[] = {1.0F, 0.5F};
  AssignToNearest(centroids, points, {}, nearest);
  EXPECT_EQ(nearest[0], 0U);
  AssignToNearest(centroids, points, penalties, nearest);
  EXPECT_EQ(nearest[0], 1U);
}

TEST(KMeans, EachRoundBringsTheCentroidsNearer) {
  const std::vector<Vector> vectors = SkewedVectors();
  const auto points = Pointers(vectors);
  double before = std::numeric_limits<double>::infinity();
  for (const int iterations : {1, 3, 12}) {
    const Centroids centroids =
        MustTrain(points, {.clusters = 64, .iterations = iterations, .balance = 0});
    const double now = Assign(centroids, points).mean_distance;
    EXPECT_LT(now, before);
    before = now;
  }
}

TEST(KMeans, BalanceEvensTheClustersOutAtLittleCost) {
  const std::vector<Vector> vectors = SkewedVectors();
  const auto points = Pointers(vectors);
  const Clustering lloyd =
      Assign(MustTrain(points, {.clusters = 64, .iterations = 15, .balance = 0}), points);
  const Clustering balanced = Assign(MustTrain(points, {.clusters = 64, .iterations = 15}), points);
  EXPECT_LT(Imbalance(balanced), Imbalance(lloyd));
  EXPECT_LT(Imbalance(balanced), 1.5);
  EXPECT_LT(balanced.mean_distance, 1.1 * lloyd.mean_distance);
}

TEST(KMeans, NoClusterStaysEmpty) {
  // Nine tenths of the points are equal, so that most random starts fall on one place.
  std::vector<Vector> vectors(1800, Vector(kDim, 1.0F));
  for (Vector& vector : VectorSource(kDim, Metric::kL2, 3).Take(200)) vectors.push_back(vector);
  const auto points = Pointers(vectors);
  const Clustering clustering =
      Assign(MustTrain(points, {.clusters = 30, .iterations = 20}), points);
  const auto empty = std::count(clustering.sizes.begin(), clustering.sizes.end(), 0U);
  EXPECT_LE(empty, 3);
}

TEST(KMeans, EqualSeedsGiveEqualCentroidsWhateverTheThreads) {
  const std::vector<Vector> vectors = SkewedVectors();
  const auto points = Pointers(vectors);
  const KMeansOptions options{.clusters = 50, .seed = 9};
  const Centroids alone = MustTrain(points, options);
  SharedLoop loop;
  std::atomic<bool> done = false;
  std::vector<std::thread> helpers;
  for (int i = 0; i < 3; ++i) {
    helpers.emplace_back([&] {
      while (!done) loop.Help();
    });
  }
  const auto together = TrainKMeans(points, kDim, options, loop);
  done = true;
  for (std::thread& helper : helpers) helper.join();
  ASSERT_TRUE(together.ok());
  for (size_t i = 0; i < alone.count(); ++i) {
    for (size_t j = 0; j < kDim; ++j) ASSERT_EQ(alone.row(i)[j], together->row(i)[j]);
  }
  const Centroids other = MustTrain(points, {.clusters = 50, .seed = 10});
  EXPECT_NE(other.row(0)[0], alone.row(0)[0]);
}

TEST(KMeans, FewerPointsThanClustersAreTheCentroids) {
  const std::vector<Vector> vectors = VectorSource(kDim, Metric::kL2, 4).Take(3);
  const Centroids centroids = MustTrain(Pointers(vectors), {.clusters = 8});
  EXPECT_EQ(centroids.count(), 8U);
  EXPECT_LT(Assign(centroids, Pointers(vectors)).mean_distance, 0.1);
}

TEST(KMeans, AStoppedLoopStopsTheTraining) {
  const std::vector<Vector> vectors = VectorSource(kDim, Metric::kL2, 5).Take(3000);
  std::atomic<int> polls = 0;
  SharedLoop loop({.call_helpers = nullptr, .stopping = [&polls] { return ++polls > 4; }});
  const auto trained = TrainKMeans(Pointers(vectors), kDim, {.clusters = 10}, loop);
  EXPECT_EQ(trained.status().code(), absl::StatusCode::kCancelled);
}

TEST(SharedLoop, DoesEachStepOnceWithManyHelpers) {
  std::atomic<bool> done = false;
  SharedLoop loop;
  std::vector<std::thread> helpers;
  for (int i = 0; i < 3; ++i) {
    helpers.emplace_back([&] {
      while (!done) loop.Help();
    });
  }
  for (const size_t count : {0, 1, 99, 5000}) {
    std::vector<std::atomic<int>> visits(count);
    EXPECT_TRUE(loop.Run({count, 7},
                         [&](size_t begin, size_t end) {
                           for (size_t i = begin; i < end; ++i) ++visits[i];
                         })
                    .ok());
    for (const auto& visit : visits) EXPECT_EQ(visit, 1);
  }
  done = true;
  for (std::thread& helper : helpers) helper.join();
}

TEST(SharedLoop, AStepThatThrowsEndsTheLoopWithItsReason) {
  SharedLoop loop;
  size_t steps = 0;
  const absl::Status status = loop.Run({100, 1}, [&](size_t begin, size_t) {
    ++steps;
    if (begin == 10) throw std::bad_alloc();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(steps, 11U);
  EXPECT_TRUE(loop.Run({5, 1}, [](size_t, size_t) {}).ok());
}

}  // namespace
}  // namespace vettore
