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
// IvfListScan::Finish. Bounds say when to stop, and coarse codes take more.
size_t DepthFor(size_t k, const IvfCoder& coder) {
  return coder.has_bounds() ? 20 * k + 100 : 5 * k + 50;
}

// Standard deviations of an estimate's error within which its distance is taken to be.
constexpr float kErrors = 2;

// Lists that a query of several scans by itself, before they share lists.
constexpr size_t kProbesAlone = 2;

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

// One request's way through the lists. Externally synchronised.
class IvfSearcher::ListSearch {
 public:
  ListSearch(const IvfSearcher& searcher, const IvfRequest& request, const IvfSnapshot& snapshot)
      : searcher_(searcher),
        request_(request),
        snapshot_(snapshot),
        query_norm_(-VectorDistance(Metric::kInnerProduct, searcher.distance_.dim())(
            request.query.data(), request.query.data())),
        has_codes_(snapshot.partition.coder->has_codes()),
        is_possible_(!has_codes_ ||
                     snapshot.partition.coder->Prepare(request.query.data(), tables_)),
        scan_({snapshot.rows, searcher.distance_, request.query.data(), snapshot.version},
              {snapshot.rows, snapshot.version, request.options.allowed, snapshot.dead_listed > 0},
              {.k = request.k,
               .depth = has_codes_ ? DepthFor(request.k, coder()) : 0,
               .tables = has_codes_ ? &tables_ : nullptr,
               .is_bounded = coder().has_bounds()}) {}
  ListSearch(const ListSearch&) = delete;
  ListSearch& operator=(const ListSearch&) = delete;

  // False when estimates would overflow; nothing else may be called then.
  bool is_possible() const { return is_possible_; }

  // probes: the lists that are scanned in any case, nearest first.
  absl::Status Begin(std::vector<Probe> probes) {
    probes_ = std::move(probes);
    return scan_.Rows(snapshot_.tail, request_.cancel);
  }
  size_t probes() const { return probes_.size(); }
  uint32_t list(size_t i) const { return probes_[i].list; }

  // Scans the list of probe i. next: the list after it, in whichever search; null when there is
  // none.
  absl::Status Scan(size_t i, const IvfList* next) {
    return scan_.List({.list = *table().lists[list(i)],
                       .offset = searcher_.OffsetOf(probes_[i], table(), query_norm_),
                       .products = coder().has_bounds() ? -SlackOf(probes_[i]) : 0,
                       .next = next},
                      request_.cancel);
  }

  // Scans farther lists until there are k.
  absl::Status ScanUntilEnough() {
    if (scan_.has_enough() || probes() == table().lists.size()) return absl::OkStatus();
    std::vector<bool> is_scanned(table().lists.size());
    for (const Probe& probe : probes_) is_scanned[probe.list] = true;
    for (const Probe& probe : table().ranking->All(request_.query.data())) {
      if (scan_.has_enough()) break;
      if (is_scanned[probe.list]) continue;
      probes_.push_back(probe);
      VETTORE_RETURN_IF_ERROR(Scan(probes() - 1, nullptr));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<Hit>> Finish(IndexSearchTrace& trace) {
    VETTORE_ASSIGN_OR_RETURN(std::vector<Hit> hits, scan_.Finish(request_.cancel));
    trace.plan = request_.options.allowed == nullptr ? "lists" : "filtered lists";
    trace.distances += scan_.distances() + table().lists.size();
    trace.hops += probes();
    return hits;
  }

 private:
  const IvfTable& table() const { return *snapshot_.partition.table; }
  const IvfCoder& coder() const { return *snapshot_.partition.coder; }
  // How far the products of a list's rows may be from what is estimated.
  float SlackOf(const Probe& probe) const {
    const bool is_product = searcher_.metric_ == Metric::kInnerProduct;
    return kErrors * coder().ErrorOf(tables_, is_product ? query_norm_ : probe.key + query_norm_);
  }

  const IvfSearcher& searcher_;
  const IvfRequest& request_;
  const IvfSnapshot& snapshot_;
  const float query_norm_;  // Squared.
  const bool has_codes_;
  PqTables tables_;
  const bool is_possible_;
  IvfListScan scan_;
  std::vector<Probe> probes_;
};

// Scans what the probes name, a list for all that probe it.
absl::Status IvfSearcher::ScanByList(const IvfTable& table, std::span<ListSearch* const> searches,
                                     size_t first_probe) {
  struct Visit {
    uint32_t list;
    uint32_t search;
    uint32_t probe;
  };
  std::vector<Visit> visits;
  for (uint32_t search = 0; search < searches.size(); ++search) {
    for (size_t i = first_probe; i < searches[search]->probes(); ++i) {
      visits.push_back({searches[search]->list(i), search, static_cast<uint32_t>(i)});
    }
  }
  std::sort(visits.begin(), visits.end(), [](const Visit& a, const Visit& b) {
    return a.list != b.list ? a.list < b.list : a.search < b.search;
  });
  for (size_t i = 0; i < visits.size(); ++i) {
    const bool is_another = i + 1 < visits.size() && visits[i + 1].list != visits[i].list;
    const IvfList* const next = is_another ? table.lists[visits[i + 1].list].get() : nullptr;
    VETTORE_RETURN_IF_ERROR(searches[visits[i].search]->Scan(visits[i].probe, next));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::vector<Hit>>> IvfSearcher::Search(
    std::span<const IvfRequest> requests, const IvfSnapshot& snapshot,
    std::span<IndexSearchTrace> traces) const {
  std::vector<std::vector<Hit>> found(requests.size());
  std::vector<std::unique_ptr<ListSearch>> searches(requests.size());
  if (!snapshot.prefers_scan) {
    VETTORE_RETURN_IF_ERROR(SearchLists(requests, snapshot, searches));
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    // Who asks for k gets k when k exist.
    const size_t admitted =
        requests[i].options.allowed == nullptr ? snapshot.live : std::numeric_limits<size_t>::max();
    if (searches[i] != nullptr) {
      VETTORE_ASSIGN_OR_RETURN(found[i], searches[i]->Finish(traces[i]));
      if (found[i].size() >= std::min(requests[i].k, admitted)) continue;
    }
    VETTORE_ASSIGN_OR_RETURN(found[i], SearchExactly(requests[i], snapshot, traces[i]));
  }
  return found;
}

absl::Status IvfSearcher::SearchLists(std::span<const IvfRequest> requests,
                                      const IvfSnapshot& snapshot,
                                      std::span<std::unique_ptr<ListSearch>> searches) const {
  const IvfTable& table = *snapshot.partition.table;
  std::vector<const float*> queries;
  std::vector<ListSearch*> possible;
  for (size_t i = 0; i < requests.size(); ++i) {
    auto search = std::make_unique<ListSearch>(*this, requests[i], snapshot);
    if (!search->is_possible()) continue;
    queries.push_back(requests[i].query.data());
    possible.push_back(search.get());
    searches[i] = std::move(search);
  }
  std::vector<std::vector<Probe>> nearest =
      table.ranking->Nearest(queries, ProbesFor(requests.front(), snapshot));
  // The nearest lists of each query first: what is found there leaves little to note of the others.
  const size_t alone = requests.size() == 1 ? std::numeric_limits<size_t>::max() : kProbesAlone;
  for (size_t s = 0; s < possible.size(); ++s) {
    ListSearch& search = *possible[s];
    VETTORE_RETURN_IF_ERROR(search.Begin(std::move(nearest[s])));
    const auto ahead = [&](size_t i) -> const IvfList* {
      return i < std::min(alone, search.probes()) ? table.lists[search.list(i)].get() : nullptr;
    };
    for (size_t i = 0; i < std::min(alone, search.probes()); ++i) {
      if (ahead(i + 2) != nullptr) __builtin_prefetch(ahead(i + 2));
      VETTORE_RETURN_IF_ERROR(search.Scan(i, ahead(i + 1)));
    }
  }
  if (requests.size() > 1) {
    VETTORE_RETURN_IF_ERROR(ScanByList(table, possible, alone));
  }
  for (ListSearch* const search : possible) {
    VETTORE_RETURN_IF_ERROR(search->ScanUntilEnough());
  }
  return absl::OkStatus();
}

}  // namespace vettore
