// Balanced k-means: the centroids of the lists of an IVF index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "index/shared_loop.h"
#include "simd/kernels.h"

namespace vettore {

// Points in the plane of squared L2. Immutable.
class Centroids {
 public:
  Centroids() = default;
  // values: (count, dim) row after row.
  Centroids(std::vector<float> values, size_t dim);

  size_t dim() const { return dim_; }
  size_t count() const { return squared_norms_.size(); }
  std::span<const float> values() const { return values_; }
  const float* row(size_t i) const { return values_.data() + i * dim_; }
  // Infinity where it overflowed.
  float squared_norm(size_t i) const { return squared_norms_[i]; }
  size_t memory_bytes() const { return (values_.size() + squared_norms_.size()) * sizeof(float); }

  // out[i] = <query, centroid i>; what is not a number is minus infinity. query: (dim); out:
  // (count).
  void InnerProducts(const float* query, float* out) const;

 private:
  size_t dim_ = 0;
  std::vector<float> values_;
  std::vector<float> squared_norms_;
};

// For each point the centroid with the smallest squared_norm - 2 <point, centroid> (+ penalty of
// the centroid, unless `penalties` is empty): the nearest; the first of equals. points: pointers to
// (dim). out: as many as points. Walks both in tiles that stay in the nearer caches.
void AssignToNearest(const Centroids& centroids, std::span<const float* const> points,
                     std::span<const float> penalties, std::span<uint32_t> out);

struct KMeansOptions {
  size_t clusters = 1;  // >= 1
  int iterations = 10;
  uint64_t seed = 1;  // Equal seeds and points give equal centroids, whatever the threads.
  // How strongly a cluster above the mean size pushes points away; 0 is Lloyd's algorithm.
  float balance = 0.5F;
};

// Lloyd's algorithm from random points, with a price on large clusters that is raised and lowered
// from round to round, as in Banerjee & Ghosh (2004, frequency-sensitive competitive learning), and
// with empty clusters refilled by splitting the largest. points: pointers to (dim), at least one.
// The loop's status when it was stopped.
absl::StatusOr<Centroids> TrainKMeans(std::span<const float* const> points, size_t dim,
                                      const KMeansOptions& options, SharedLoop& loop);

}  // namespace vettore
