// Choosing between scan and lists, ranking lists, probing them.
#include "index/lists/ivf_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/status.h"
#include "index/exact_scan.h"
#include "index/lists/ivf_list_scan.h"

namespace vettore {
namespace {

// Bytes that fetching a vector from anywhere costs beside its own.
constexpr double kFetchBytes = 192;

// Candidates by code that are measured at most. How many are is decided as they are; see
// IvfListScan::Finish.
size_t DepthFor(size_t k) { return 5 * k + 50; }

}  // namespace

size_t IvfSearcher::ProbesFor(const IvfRequest& request, const IvfSnapshot& snapshot) const {
  const size_t nlist = snapshot.partition.table->lists.size();
  // The neighbours of a query lie in a number of lists that grows about as the root of the number
  // of lists; the largest inner products, of which several may be long vectors elsewhere, in more.
  const double spread = metric_ == Metric::kInnerProduct ? 4 : 2;
  const auto usual = static_cast<uint32_t>(spread * std::sqrt(static_cast<double>(nlist)));
  const uint32_t configured = config_.nprobe > 0 ? config_.nprobe : std::max(usual, 4U);
  double probes = request.options.nprobe.value_or(configured);
  if (request.options.allowed != nullptr && snapshot.live > 0) {
    // The nearest allowed lie farther out the fewer are allowed.
    const double share =
        static_cast<double>(request.allowed_count) / static_cast<double>(snapshot.live);
    probes /= std::sqrt(std::clamp(share, 1e-6, 1.0));
  }
  return static_cast<size_t>(std::clamp(probes, 1.0, static_cast<double>(nlist)));
}

bool IvfSearcher::PrefersScan(const IvfRequest& request, const IvfSnapshot& snapshot) const {
  if (request.options.exact || snapshot.partition.table == nullptr) return true;
  // What is in no list is scanned anyway; while that is most of all, the rest is scanned too, and
  // the answer is exact.
  const size_t listed = snapshot.listed - snapshot.dead_listed;
  if (2 * listed < snapshot.live) return true;
  const auto nlist = static_cast<double>(snapshot.partition.table->lists.size());
  const double vector_bytes = static_cast<double>(distance_.dim()) * sizeof(float);
  const size_t code_bytes = snapshot.partition.coder->code_bytes();
  const double row_bytes = code_bytes == 0 ? vector_bytes : static_cast<double>(code_bytes + 8);
  const double probed = static_cast<double>(ProbesFor(request, snapshot)) / nlist *
                        static_cast<double>(snapshot.listed);
  // Centroids are often in a cache.
  const double lists_bytes = nlist * vector_bytes / 2 + probed * row_bytes +
                             static_cast<double>(request.k) * (vector_bytes + kFetchBytes);
  const double scan_bytes =
      request.options.allowed == nullptr
          ? static_cast<double>(snapshot.live) * vector_bytes
          : static_cast<double>(request.allowed_count) * (vector_bytes + kFetchBytes);
  return scan_bytes <= lists_bytes;
}

absl::StatusOr<std::vector<Hit>> IvfSearcher::Search(const IvfRequest& request,
                                                     const IvfSnapshot& snapshot,
                                                     IndexSearchTrace& trace) const {
  if (snapshot.prefers_scan) return SearchExactly(request, snapshot, trace);
  VETTORE_ASSIGN_OR_RETURN(std::vector<Hit> hits, SearchLists(request, snapshot, trace));
  // Who asks for k gets k when k exist.
  const size_t admitted =
      request.options.allowed == nullptr ? snapshot.live : std::numeric_limits<size_t>::max();
  if (hits.size() >= std::min(request.k, admitted)) return hits;
  return SearchExactly(request, snapshot, trace);
}

absl::StatusOr<std::vector<Hit>> IvfSearcher::SearchExactly(const IvfRequest& request,
                                                            const IvfSnapshot& snapshot,
                                                            IndexSearchTrace& trace) const {
  TopK top(request.k);
  ExactScan scan({snapshot.rows, distance_, request.query.data(), snapshot.version}, top);
  if (request.options.allowed != nullptr) {
    VETTORE_RETURN_IF_ERROR(scan.Slots(*request.options.allowed, request.cancel));
  } else {
    VETTORE_RETURN_IF_ERROR(scan.All(snapshot.rows.end(), request.cancel));
  }
  trace.plan = "exact scan";
  trace.distances += scan.distances();
  return top.TakeSorted();
}

std::vector<IvfSearcher::Probe> IvfSearcher::RankLists(const float* query,
                                                       const IvfTable& table) const {
  const Centroids& centroids = *table.centroids;
  std::vector<float> products(centroids.count());
  centroids.InnerProducts(query, products.data());
  std::vector<Probe> probes(centroids.count());
  for (uint32_t list = 0; list < probes.size(); ++list) {
    float key = -products[list];
    // Unit vectors lie in the order of L2; only centroids are shorter than one.
    if (metric_ != Metric::kInnerProduct) key = centroids.squared_norm(list) + 2 * key;
    if (std::isnan(key)) key = std::numeric_limits<float>::infinity();
    probes[list] = {key, list};
  }
  return probes;
}

float IvfSearcher::OffsetOf(const Probe& probe, const IvfTable& table, float query_norm) const {
  switch (metric_) {
    case Metric::kL2:
      return probe.key + query_norm;
    case Metric::kCosine:
      return (probe.key - table.centroids->squared_norm(probe.list)) / 2;
    case Metric::kInnerProduct:
      return probe.key;
  }
  return 0;
}

absl::StatusOr<std::vector<Hit>> IvfSearcher::SearchLists(const IvfRequest& request,
                                                          const IvfSnapshot& snapshot,
                                                          IndexSearchTrace& trace) const {
  const IvfTable& table = *snapshot.partition.table;
  const float* const query = request.query.data();
  const bool has_codes = snapshot.partition.coder->has_codes();
  PqTables tables;
  if (has_codes && !snapshot.partition.coder->Prepare(query, tables)) {
    return SearchExactly(request, snapshot, trace);
  }
  IvfListScan scan(
      {snapshot.rows, distance_, query, snapshot.version},
      {snapshot.rows, snapshot.version, request.options.allowed, snapshot.dead_listed > 0},
      {request.k, has_codes ? DepthFor(request.k) : 0, has_codes ? &tables : nullptr});
  VETTORE_RETURN_IF_ERROR(scan.Rows(snapshot.tail, request.cancel));

  std::vector<Probe> probes = RankLists(query, table);
  const auto middle = probes.begin() + static_cast<ptrdiff_t>(ProbesFor(request, snapshot));
  std::nth_element(probes.begin(), middle - 1, probes.end());
  std::sort(probes.begin(), middle);
  const float query_norm = -VectorDistance(Metric::kInnerProduct, distance_.dim())(query, query);
  size_t probed = 0;
  for (auto probe = probes.begin(); probe != probes.end(); ++probe, ++probed) {
    // Farther lists are probed only until there are k.
    if (probe >= middle && scan.has_enough()) break;
    if (probe == middle) std::sort(middle, probes.end());
    const auto ahead = [&](ptrdiff_t steps) -> const IvfList* {
      return steps < probes.end() - probe ? table.lists[probe[steps].list].get() : nullptr;
    };
    if (ahead(2) != nullptr) __builtin_prefetch(ahead(2));
    VETTORE_RETURN_IF_ERROR(
        scan.List({*table.lists[probe->list], OffsetOf(*probe, table, query_norm), ahead(1)},
                  request.cancel));
  }
  VETTORE_ASSIGN_OR_RETURN(std::vector<Hit> hits, scan.Finish(request.cancel));
  trace.plan = request.options.allowed == nullptr ? "lists" : "filtered lists";
  trace.distances += scan.distances() + probes.size();
  trace.hops += probed;
  return hits;
}

}  // namespace vettore
