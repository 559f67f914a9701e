// Which lists of an IVF index are nearest to a query.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "index/codes/vector_codec.h"
#include "index/linear_pool.h"
#include "index/lists/kmeans.h"
#include "types/metric.h"

namespace vettore {

// A list as a query meets it. key, smaller is closer: squared_norm - 2 <query, centroid>, which
// orders as L2 does; of inner products -<query, centroid>.
struct Probe {
  float key = 0;
  uint32_t list = 0;
  friend bool operator<(const Probe& a, const Probe& b) {
    return a.key != b.key ? a.key < b.key : a.list < b.list;
  }
};

// Centroids are compared by codes of 8 bits (see VectorCodec), and the nearest by themselves: with
// one list for some hundred vectors their floats outgrow the nearer caches long before the codes
// do, and reading them takes as long as scanning the lists. A graph over the centroids would take
// fewer distances, but the lists that are probed grow with the root of their number, and the graph
// would have to find as many. Immutable.
class ListRanking {
 public:
  ListRanking(std::shared_ptr<const Centroids> centroids, Metric metric);

  // Of each query the `count` nearest lists, nearest first. queries: pointers to (dim). The codes
  // are taken in pieces that stay in a cache until all queries have met them.
  std::vector<std::vector<Probe>> Nearest(std::span<const float* const> queries,
                                          size_t count) const;
  // All lists, nearest first.
  std::vector<Probe> All(const float* query) const;

  // Of what it adds to the centroids.
  size_t memory_bytes() const {
    return codes_.size() + code_of_.size() * sizeof(code_of_[0]) +
           factors_.size() * sizeof(factors_[0]);
  }

 private:
  float KeyOf(size_t list, float product) const;
  // What was found by code, by its centroids, nearest first.
  std::vector<Probe> Measured(const float* query, std::span<const Candidate> found) const;

  const std::shared_ptr<const Centroids> centroids_;
  const Metric metric_;
  std::optional<VectorCodec> codec_;  // Not for few lists, or where something overflows.
  std::vector<uint8_t> codes_;        // (count, codec_->code_bytes())
  std::vector<const uint8_t*> code_of_;
  std::vector<CodeFactors> factors_;
};

}  // namespace vettore
