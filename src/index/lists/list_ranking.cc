// Coding centroids, comparing them with queries.
#include "index/lists/list_ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "index/candidate_pool.h"
#include "simd/kernels.h"

namespace vettore {
namespace {

// With fewer lists their centroids are all measured.
constexpr size_t kFewLists = 64;
// What queries meet one after the other: 32 KiB of codes of 128 dimensions.
constexpr size_t kTile = 256;

// Measured again in place of `count`: the error of an 8-bit code is a small share of what lies
// between the nearest centroids and those a few places farther out.
size_t WithSpare(size_t count) { return count + count / 4 + 16; }

// A query among the codes of centroids. Externally synchronised.
struct Ranked {
  explicit Ranked(size_t wanted) : pool(wanted) {}

  CodedQuery coded;
  CandidatePool pool;  // Of lists in place of rows.
};

}  // namespace

ListRanking::ListRanking(std::shared_ptr<const Centroids> centroids, Metric metric)
    : centroids_(std::move(centroids)), metric_(metric) {
  const size_t count = centroids_->count();
  if (count < kFewLists) return;
  std::vector<const float*> rows(count);
  for (size_t i = 0; i < count; ++i) {
    if (!std::isfinite(centroids_->squared_norm(i))) return;
    rows[i] = centroids_->row(i);
  }
  // Only centroids are shorter than unit vectors, whose order is that of L2.
  const Metric measured = metric == Metric::kInnerProduct ? metric : Metric::kL2;
  codec_.emplace(Quantization::kSq8, measured, centroids_->dim(), rows);
  codes_.resize(count * codec_->code_bytes());
  CodedQuery coded;
  for (size_t i = 0; i < count; ++i) {
    uint8_t* const code = codes_.data() + i * codec_->code_bytes();
    codec_->Prepare(rows[i], coded);
    factors_.push_back(codec_->Encode(coded, code));
    code_of_.push_back(code);
  }
}

float ListRanking::KeyOf(size_t list, float product) const {
  const float key =
      metric_ == Metric::kInnerProduct ? -product : centroids_->squared_norm(list) - 2 * product;
  return std::isnan(key) ? std::numeric_limits<float>::infinity() : key;
}

std::vector<Probe> ListRanking::All(const float* query) const {
  std::vector<float> products(centroids_->count());
  centroids_->InnerProducts(query, products.data());
  std::vector<Probe> probes(products.size());
  for (uint32_t list = 0; list < probes.size(); ++list) {
    probes[list] = {KeyOf(list, products[list]), list};
  }
  std::sort(probes.begin(), probes.end());
  return probes;
}

std::vector<std::vector<Probe>> ListRanking::Nearest(std::span<const float* const> queries,
                                                     size_t count) const {
  const size_t lists = centroids_->count();
  const size_t wanted = WithSpare(count);
  const bool uses_codes = codec_.has_value() && 2 * wanted <= lists;
  std::vector<Ranked> ranked;
  if (uses_codes) {
    ranked.reserve(queries.size());
    for (const float* const query : queries) {
      codec_->Prepare(query, ranked.emplace_back(wanted).coded);
    }
    int32_t products[kTile];
    float distances[kTile];
    for (size_t first = 0; first < lists; first += kTile) {
      const size_t in_tile = std::min(kTile, lists - first);
      const VectorCodec::Batch batch{in_tile, code_of_.data() + first, factors_.data() + first,
                                     products};
      for (Ranked& query : ranked) {
        codec_->Distances(query.coded, batch, distances);
        for (size_t i = 0; i < in_tile; ++i) {
          if (distances[i] > query.pool.limit()) continue;
          query.pool.Push({distances[i], static_cast<uint32_t>(first + i)});
        }
      }
    }
  }
  std::vector<std::vector<Probe>> nearest(queries.size());
  for (size_t i = 0; i < queries.size(); ++i) {
    const bool is_ranked = uses_codes && std::isfinite(ranked[i].coded.squared_norm);
    nearest[i] = is_ranked ? Measured(queries[i], ranked[i].pool.TakeSorted()) : All(queries[i]);
    nearest[i].resize(std::min(count, nearest[i].size()));
  }
  return nearest;
}

std::vector<Probe> ListRanking::Measured(const float* query,
                                         std::span<const Candidate> found) const {
  const simd::Kernels& kernels = simd::Active();
  constexpr size_t kFloatsPerLine = 16;
  for (const Candidate& candidate : found) {
    const float* const centroid = centroids_->row(candidate.row);
    for (size_t i = 0; i < std::min<size_t>(centroids_->dim(), 128); i += kFloatsPerLine) {
      __builtin_prefetch(centroid + i);
    }
  }
  std::vector<Probe> probes;
  probes.reserve(found.size());
  for (const Candidate& candidate : found) {
    const size_t list = candidate.row;
    const float product = kernels.inner_product(query, centroids_->row(list), centroids_->dim());
    probes.push_back({KeyOf(list, product), candidate.row});
  }
  std::sort(probes.begin(), probes.end());
  return probes;
}

}  // namespace vettore
