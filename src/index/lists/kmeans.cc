// Assigning points to centroids, and moving the centroids.
#include "index/lists/kmeans.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <utility>

#include "base/status.h"

namespace vettore {
namespace {

// Points that one thread assigns at a time.
constexpr size_t kGrain = 1024;
// Of AssignToNearest: so many points meet a tile of centroids that takes about half of a 512 KiB
// cache.
constexpr size_t kPointTile = 64;
constexpr size_t kCentroidTileBytes = size_t{192} << 10;

// Of so many points one tells how far points lie from their centroid.
constexpr size_t kPriceSample = 8;

// `count` different indexes below `size`, in random order.
std::vector<size_t> Choose(size_t count, size_t size, std::mt19937_64& random) {
  std::vector<size_t> order(size);
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t i = 0; i < count; ++i) std::swap(order[i], order[i + random() % (size - i)]);
  order.resize(count);
  return order;
}

// The state of one training. Externally synchronised.
class Training {
 public:
  Training(std::span<const float* const> points, size_t dim, const KMeansOptions& options)
      : points_(points),
        dim_(dim),
        options_(options),
        random_(options.seed),
        assigned_(points.size()),
        sizes_(options.clusters),
        penalties_(options.clusters) {
    std::vector<float> values;
    values.reserve(options.clusters * dim);
    const size_t distinct = std::min(options.clusters, points.size());
    const std::vector<size_t> chosen = Choose(distinct, points.size(), random_);
    for (size_t i = 0; i < options.clusters; ++i) {
      const float* const point = points[chosen[i % distinct]];
      values.insert(values.end(), point, point + dim);
    }
    centroids_ = Centroids(std::move(values), dim);
  }

  // One round.
  absl::Status Step(SharedLoop& loop) {
    VETTORE_RETURN_IF_ERROR(loop.Run({points_.size(), kGrain}, [&](size_t begin, size_t end) {
      AssignToNearest(centroids_, points_.subspan(begin, end - begin), penalties_,
                      std::span(assigned_).subspan(begin, end - begin));
    }));
    Move();
    return absl::OkStatus();
  }

  Centroids Take() { return std::move(centroids_); }

 private:
  // Each centroid to the mean of its points, in the order of the points.
  void Move() {
    std::vector<double> sums(options_.clusters * dim_);
    std::fill(sizes_.begin(), sizes_.end(), 0);
    for (size_t i = 0; i < points_.size(); ++i) {
      double* const sum = sums.data() + size_t{assigned_[i]} * dim_;
      for (size_t j = 0; j < dim_; ++j) sum[j] += points_[i][j];
      ++sizes_[assigned_[i]];
    }
    UpdatePenalties();
    std::vector<float> values(options_.clusters * dim_);
    for (size_t c = 0; c < options_.clusters; ++c) {
      const double share = sizes_[c] == 0 ? 0 : 1.0 / static_cast<double>(sizes_[c]);
      for (size_t j = 0; j < dim_; ++j) {
        values[c * dim_ + j] = static_cast<float>(sums[c * dim_ + j] * share);
      }
    }
    for (size_t c = 0; c < options_.clusters; ++c) {
      if (sizes_[c] == 0) Refill(c, values);
    }
    centroids_ = Centroids(std::move(values), dim_);
  }

  // The unit of a cluster's price is the mean squared distance of its points from its centroid:
  // what is dear in a dense region is nothing in a sparse one. The steps become smaller from round
  // to round, or points would flock from one cluster to the next.
  void UpdatePenalties() {
    ++rounds_;
    if (options_.balance == 0) return;
    std::vector<double> distances(sizes_.size());
    std::vector<size_t> counted(sizes_.size());
    for (size_t i = 0; i < points_.size(); i += kPriceSample) {
      const float distance = kernels_.l2_squared(points_[i], centroids_.row(assigned_[i]), dim_);
      if (!std::isfinite(distance)) continue;
      distances[assigned_[i]] += distance;
      ++counted[assigned_[i]];
    }
    const double mean = static_cast<double>(points_.size()) / static_cast<double>(sizes_.size());
    for (size_t c = 0; c < sizes_.size(); ++c) {
      if (counted[c] == 0) continue;
      const double unit = options_.balance * distances[c] / static_cast<double>(counted[c]);
      const double excess = std::clamp(static_cast<double>(sizes_[c]) / mean - 1, -1.0, 1.0);
      const double price = penalties_[c] + unit * excess / (2 + rounds_);
      penalties_[c] = static_cast<float>(std::clamp(price, 0.0, unit));
    }
  }

  // An empty cluster begins again at a point that lies badly: of a few at random, the one that is
  // farthest from its centroid. Large clusters and scattered ones give most.
  void Refill(size_t empty, std::vector<float>& values) {
    constexpr int kTries = 16;
    const float* farthest = points_[random_() % points_.size()];
    float most = -1;
    for (int i = 0; i < kTries; ++i) {
      const size_t point = random_() % points_.size();
      const float distance =
          kernels_.l2_squared(points_[point], centroids_.row(assigned_[point]), dim_);
      if (distance > most) {
        most = distance;
        farthest = points_[point];
      }
    }
    std::copy_n(farthest, dim_, values.data() + empty * dim_);
    penalties_[empty] = 0;
  }

  const simd::Kernels& kernels_ = simd::Active();
  const std::span<const float* const> points_;
  const size_t dim_;
  const KMeansOptions options_;
  std::mt19937_64 random_;
  Centroids centroids_;
  std::vector<uint32_t> assigned_;  // By point.
  std::vector<size_t> sizes_;       // By cluster.
  std::vector<float> penalties_;    // By cluster.
  int rounds_ = 0;
};

struct Best {
  float cost = std::numeric_limits<float>::infinity();
  uint32_t centroid = 0;
};

struct Tile {
  uint32_t begin;
  uint32_t end;
};

// One point against the centroids of a tile. offset: of each centroid's cost.
void AssignWithinTile(const Centroids& centroids, const float* point, std::span<const float> offset,
                      Tile tile, Best& best) {
  const simd::Kernels& kernels = simd::Active();
  const auto offer = [&](uint32_t c, float product) {
    const float cost = offset[c] - 2 * product;
    if (cost < best.cost) best = {cost, c};
  };
  uint32_t c = tile.begin;
  for (; c + 4 <= tile.end; c += 4) {
    const float* const rows[4] = {centroids.row(c), centroids.row(c + 1), centroids.row(c + 2),
                                  centroids.row(c + 3)};
    float products[4];
    kernels.inner_product_to_4(point, rows, centroids.dim(), products);
    for (uint32_t i = 0; i < 4; ++i) offer(c + i, products[i]);
  }
  for (; c < tile.end; ++c)
    offer(c, kernels.inner_product(point, centroids.row(c), centroids.dim()));
}

}  // namespace

Centroids::Centroids(std::vector<float> values, size_t dim)
    : dim_(dim), values_(std::move(values)), squared_norms_(values_.size() / dim) {
  const simd::Kernels& kernels = simd::Active();
  for (size_t i = 0; i < squared_norms_.size(); ++i) {
    squared_norms_[i] = kernels.inner_product(row(i), row(i), dim_);
  }
}

void Centroids::InnerProducts(const float* query, float* out) const {
  const simd::Kernels& kernels = simd::Active();
  size_t i = 0;
  for (; i + 4 <= count(); i += 4) {
    const float* const rows[4] = {row(i), row(i + 1), row(i + 2), row(i + 3)};
    kernels.inner_product_to_4(query, rows, dim_, out + i);
  }
  for (; i < count(); ++i) out[i] = kernels.inner_product(query, row(i), dim_);
  for (i = 0; i < count(); ++i) {
    if (std::isnan(out[i])) out[i] = -std::numeric_limits<float>::infinity();
  }
}

void AssignToNearest(const Centroids& centroids, std::span<const float* const> points,
                     std::span<const float> penalties, std::span<uint32_t> out) {
  std::vector<float> offset(centroids.count());
  for (size_t c = 0; c < offset.size(); ++c) {
    offset[c] = centroids.squared_norm(c) + (penalties.empty() ? 0 : penalties[c]);
  }
  const size_t tile_rows =
      std::max<size_t>(4, kCentroidTileBytes / (centroids.dim() * sizeof(float)) / 4 * 4);
  std::vector<Best> best(kPointTile);
  for (size_t first = 0; first < points.size(); first += kPointTile) {
    const size_t in_tile = std::min(kPointTile, points.size() - first);
    std::fill(best.begin(), best.end(), Best());
    for (size_t begin = 0; begin < centroids.count(); begin += tile_rows) {
      const Tile tile{static_cast<uint32_t>(begin),
                      static_cast<uint32_t>(std::min(centroids.count(), begin + tile_rows))};
      for (size_t i = 0; i < in_tile; ++i) {
        AssignWithinTile(centroids, points[first + i], offset, tile, best[i]);
      }
    }
    for (size_t i = 0; i < in_tile; ++i) out[first + i] = best[i].centroid;
  }
}

absl::StatusOr<Centroids> TrainKMeans(std::span<const float* const> points, size_t dim,
                                      const KMeansOptions& options, SharedLoop& loop) {
  Training training(points, dim, options);
  for (int i = 0; i < options.iterations; ++i) {
    VETTORE_RETURN_IF_ERROR(training.Step(loop));
  }
  return training.Take();
}

}  // namespace vettore
