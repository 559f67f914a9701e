// Choosing between scan and library, asking the library, measuring again.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "base/status.h"
#include "index/exact_scan.h"
#include "index/faiss/faiss_index.h"
#include "index/settle.h"

namespace vettore {
namespace {

// So many allowed vectors are measured before any library has begun.
constexpr size_t kScanAllowed = 2'048;
// Of what is built: more candidates cost as much as measuring all.
constexpr size_t kMostShare = 4;
// However many are wanted for each result: more would only take memory.
constexpr size_t kMostCandidates = 65'536;
// Where the library cannot filter: so many more than the share that is admitted lets expect.
constexpr double kSpare = 1.25;

}  // namespace

absl::StatusOr<std::vector<Neighbor>> FaissIndex::Search(std::span<const float> query,
                                                         const IndexSearchOptions& options,
                                                         const CancelToken& cancel,
                                                         IndexSearchTrace* trace) const {
  VETTORE_RETURN_IF_ERROR(CheckDimension(query, distance_.dim()));
  VETTORE_RETURN_IF_ERROR(cancel.Poll());
  Request request{query, options, options.k, 0, cancel};
  if (options.allowed != nullptr) {
    request.allowed_count =
        options.allowed_count > 0 ? options.allowed_count : options.allowed->Count();
  }
  IndexSearchTrace own_trace;
  auto settled = FindSettled(options.k, [&](size_t wanted) -> absl::StatusOr<Settled> {
    request.k = wanted;
    const Snapshot snapshot = TakeSnapshot(request);
    VETTORE_ASSIGN_OR_RETURN(const std::vector<Hit> hits,
                             SearchSnapshot(request, snapshot, own_trace));
    return Settle(rows_, distance_, query.data(), hits);
  });
  if (trace != nullptr) *trace = own_trace;
  return settled;
}

FaissIndex::Snapshot FaissIndex::TakeSnapshot(const Request& request) const {
  const bool fits = FitsLibrary(request.query.data());
  Snapshot snapshot;
  TracedLock lock(mutex_);
  snapshot.era = eras_.current();
  snapshot.version = rows_.version();
  snapshot.live = rows_.live();
  snapshot.dead_built = roster_.dead_built();
  const size_t built_alive = roster_.built() - roster_.dead_built();
  if (!fits || PrefersScan(request, built_alive, snapshot.live)) return snapshot;
  snapshot.build = roster_.build();
  snapshot.tail.assign(roster_.tail().begin(), roster_.tail().end());
  return snapshot;
}

bool FaissIndex::PrefersScan(const Request& request, size_t built_alive, size_t live) const {
  // The tail is scanned anyway; while it is most of all, the rest is scanned too, and the answer is
  // exact.
  if (request.options.exact || built_alive == 0 || 2 * built_alive < live) return true;
  if (request.k >= live) return true;
  return request.options.allowed != nullptr &&
         request.allowed_count <= std::max(kScanAllowed, rerank_ * request.k);
}

absl::StatusOr<std::vector<Hit>> FaissIndex::SearchSnapshot(const Request& request,
                                                            const Snapshot& snapshot,
                                                            IndexSearchTrace& trace) const {
  if (snapshot.build == nullptr) return SearchExactly(request, snapshot, trace);
  VETTORE_ASSIGN_OR_RETURN(std::vector<Hit> hits, SearchBuild(request, snapshot, trace));
  // Who asks for k gets k when k exist.
  const size_t admitted =
      request.options.allowed == nullptr ? snapshot.live : std::numeric_limits<size_t>::max();
  if (hits.size() >= std::min(request.k, admitted)) return hits;
  return SearchExactly(request, snapshot, trace);
}

absl::StatusOr<std::vector<Hit>> FaissIndex::SearchExactly(const Request& request,
                                                           const Snapshot& snapshot,
                                                           IndexSearchTrace& trace) const {
  TopK top(request.k);
  ExactScan scan({rows_, distance_, request.query.data(), snapshot.version}, top);
  if (request.options.allowed != nullptr) {
    VETTORE_RETURN_IF_ERROR(scan.Slots(*request.options.allowed, request.cancel));
  } else {
    VETTORE_RETURN_IF_ERROR(scan.All(rows_.end(), request.cancel));
  }
  trace.plan = "exact scan";
  trace.distances += scan.distances();
  return top.TakeSorted();
}

size_t FaissIndex::CandidatesFor(const Request& request, const Snapshot& snapshot) const {
  const size_t wanted = std::max(request.k, std::min(rerank_ * request.k, kMostCandidates));
  const auto built = static_cast<double>(snapshot.build->rows.size());
  if (snapshot.build->index->takes_filter()) return wanted;
  double admitted = (built - static_cast<double>(snapshot.dead_built)) / built;
  if (request.options.allowed != nullptr) {
    admitted *= std::min(
        1.0, static_cast<double>(request.allowed_count) / static_cast<double>(snapshot.live));
  }
  if (admitted >= 1) return wanted;
  const double more = std::ceil(kSpare * static_cast<double>(wanted) / std::max(admitted, 1e-9));
  return static_cast<size_t>(std::min(more, built));
}

absl::StatusOr<std::vector<Hit>> FaissIndex::SearchBuild(const Request& request,
                                                         const Snapshot& snapshot,
                                                         IndexSearchTrace& trace) const {
  const FaissBuild& build = *snapshot.build;
  const SlotBitmap* const allowed = request.options.allowed;
  const size_t candidates = CandidatesFor(request, snapshot);
  const bool is_filtered = allowed != nullptr || snapshot.dead_built > 0;
  if (is_filtered && !build.index->takes_filter() && kMostShare * candidates > build.rows.size()) {
    return std::vector<Hit>();
  }
  const auto admits = [&](size_t number) {
    const Row row = build.rows[number];
    return rows_.IsVisibleAt(row, snapshot.version) &&
           (allowed == nullptr || allowed->Contains(rows_.slot(row)));
  };
  ForeignIndex::Request asked{.query = request.query.data(),
                              .k = candidates,
                              .nprobe = request.options.nprobe,
                              .ef_search = request.options.ef_search};
  if (is_filtered) asked.admits.emplace(admits);
  VETTORE_ASSIGN_OR_RETURN(const std::vector<uint32_t> found, build.index->Search(asked));

  TopK top(request.k);
  ExactScan scan({rows_, distance_, request.query.data(), snapshot.version}, top);
  std::vector<Row> rows;
  rows.reserve(found.size());
  for (const uint32_t number : found) rows.push_back(build.rows[number]);
  // What is dead or not allowed is passed over, whatever the library did about it.
  VETTORE_RETURN_IF_ERROR(scan.Rows(rows, allowed, request.cancel));
  VETTORE_RETURN_IF_ERROR(scan.Rows(snapshot.tail, allowed, request.cancel));
  trace.plan = allowed == nullptr ? "faiss" : "filtered faiss";
  trace.distances += scan.distances();
  return top.TakeSorted();
}

}  // namespace vettore
