// Vectors, filters and the plainest possible search, for the tests of the indexes.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "index/vector_index.h"
#include "types/vector.h"

namespace vettore {

using Vector = std::vector<float>;

// Vectors around a few hundred centres, as embeddings lie; of unit length for cosine.
class VectorSource {
 public:
  VectorSource(size_t dim, Metric metric, uint32_t seed)
      : dim_(dim), metric_(metric), random_(seed) {
    std::mt19937 centre_random(
        99);  // The same centres for every seed: queries lie where data lies.
    std::normal_distribution<float> normal;
    centres_.assign(200, Vector(dim));
    for (Vector& centre : centres_) {
      for (float& entry : centre) entry = normal(centre_random);
    }
  }

  Vector Next() {
    std::normal_distribution<float> normal(0, 0.7F);
    Vector vector = centres_[random_() % centres_.size()];
    for (float& entry : vector) entry += normal(random_);
    if (metric_ == Metric::kCosine) {
      EXPECT_TRUE(NormalizeVector(vector, "test").ok());
    }
    return vector;
  }

  std::vector<Vector> Take(size_t count) {
    std::vector<Vector> vectors;
    for (size_t i = 0; i < count; ++i) vectors.push_back(Next());
    return vectors;
  }

 private:
  const size_t dim_;
  const Metric metric_;
  std::mt19937 random_;
  std::vector<Vector> centres_;
};

// In double precision.
inline double TrueDistance(Metric metric, const Vector& a, const Vector& b) {
  double l2_squared = 0;
  double inner_product = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - b[i];
    l2_squared += difference * difference;
    inner_product += static_cast<double>(a[i]) * b[i];
  }
  return metric == Metric::kL2 ? l2_squared : -inner_product;
}

// The distances of the k nearest of `points`, ascending.
inline std::vector<double> TrueNearest(Metric metric, const std::map<Slot, Vector>& points,
                                       const Vector& query, size_t k) {
  std::vector<double> distances;
  for (const auto& [slot, vector] : points) {
    distances.push_back(TrueDistance(metric, query, vector));
  }
  std::sort(distances.begin(), distances.end());
  distances.resize(std::min(k, distances.size()));
  return distances;
}

inline std::unique_ptr<VectorIndex> MakeIndex(const IndexConfig& kind, Metric metric, size_t dim,
                                              const IndexRunOptions& run = {}) {
  VectorConfig config;
  config.dimension = static_cast<uint32_t>(dim);
  config.metric = metric;
  config.index = kind;
  auto index = MakeVectorIndex(config, run);
  EXPECT_TRUE(index.ok()) << index.status();
  return *std::move(index);
}

// The factory string in letters and digits, for the names of tests.
inline std::string PlainName(const FaissConfig& faiss) {
  std::string name = faiss.factory;
  std::erase_if(name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); });
  return name;
}

inline std::map<Slot, Vector> PutAll(VectorIndex& index, const std::vector<Vector>& vectors) {
  std::map<Slot, Vector> points;
  for (size_t i = 0; i < vectors.size(); ++i) {
    const auto slot = static_cast<Slot>(i);
    EXPECT_TRUE(index.Put(slot, vectors[i]).ok());
    points[slot] = vectors[i];
  }
  return points;
}

inline void WaitUntilIndexed(const VectorIndex& index) {
  const CancelToken cancel(absl::Now() + absl::Minutes(5), nullptr);
  ASSERT_TRUE(index.WaitUntilIndexed(cancel).ok());
}

inline std::vector<Neighbor> MustSearch(const VectorIndex& index, std::span<const float> query,
                                        const IndexSearchOptions& options,
                                        IndexSearchTrace* trace = nullptr) {
  auto found = index.Search(query, options, CancelToken(), trace);
  EXPECT_TRUE(found.ok()) << found.status();
  return found.ok() ? *std::move(found) : std::vector<Neighbor>();
}

inline IndexSearchOptions Nearest(size_t k) {
  IndexSearchOptions options;
  options.k = k;
  return options;
}

// Few candidates, so that a few hundred vectors are searched in the graph and not scanned.
inline IndexSearchOptions NearestInGraph(size_t k, uint32_t ef_search) {
  IndexSearchOptions options = Nearest(k);
  options.ef_search = ef_search;
  return options;
}

inline IndexSearchOptions NearestExactly(size_t k) {
  IndexSearchOptions options = Nearest(k);
  options.exact = true;
  return options;
}

// What must hold for every answer: slots of `points`, each once, nearest first, with their true
// distances.
inline void ExpectTrueNeighbors(const std::vector<Neighbor>& found, Metric metric,
                                const std::map<Slot, Vector>& points, const Vector& query) {
  std::set<Slot> slots;
  for (size_t i = 0; i < found.size(); ++i) {
    const auto point = points.find(found[i].slot);
    ASSERT_NE(point, points.end()) << "slot " << found[i].slot << " holds nothing";
    EXPECT_TRUE(slots.insert(found[i].slot).second) << "slot " << found[i].slot << " twice";
    EXPECT_NEAR(found[i].distance, TrueDistance(metric, query, point->second), 1e-3);
    EXPECT_FALSE(i > 0 && found[i] < found[i - 1]) << "not in order at " << i;
  }
}

// The share of the k nearest that was found, counting what is as near as the k-th.
inline double Recall(const std::vector<Neighbor>& found, const std::vector<double>& truth) {
  if (truth.empty()) return 1;
  const auto hits = std::count_if(found.begin(), found.end(), [&](const Neighbor& neighbor) {
    return neighbor.distance <= truth.back() + 1e-4;
  });
  return static_cast<double>(hits) / static_cast<double>(truth.size());
}

}  // namespace vettore
