// Planning and running the searches of the HNSW index.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/status.h"
#include "index/exact_scan.h"
#include "index/graph/hnsw_graph.h"
#include "index/graph/hnsw_index.h"
#include "index/settle.h"

namespace vettore {
namespace {

// The nearest by code are measured again until the next one is this many standard deviations of the
// code's error too far.
constexpr float kErrors = 2;
// Rows fetched side by side: vectors, and codes.
constexpr size_t kBlock = 16;
constexpr size_t kScanBlock = 64;
// So many times k are kept of a scan, to be measured again as far as the code's error asks for.
constexpr size_t kScanPoolPart = 16;
// A scan of so many codes takes about as long as a graph search takes for each neighbour of each
// node that it expands: the scan's codes lie in order.
constexpr double kCodesPerNeighbor = 1.5;
// A pool is kept in order by moving what lies behind: not made for more candidates.
constexpr double kWidest = 4096;

size_t CountAdmitted(const LinearPool& pool, absl::FunctionRef<bool(Row)> admits) {
  size_t count = 0;
  for (size_t i = 0; i < pool.size(); ++i) count += admits(pool[i].row) ? 1U : 0U;
  return count;
}

}  // namespace

HnswIndex::Snapshot HnswIndex::TakeSnapshot(const Request& request, std::vector<Row>& tail) const {
  TracedLock lock(mutex_);
  Snapshot snapshot{.era = eras_.current(),
                    .graph = queue_.graph(),
                    .version = rows_.version(),
                    .live = rows_.live(),
                    .linked = queue_.linked(),
                    .dead_linked = queue_.dead_linked()};
  snapshot.prefers_scan = PrefersScan(request, snapshot);
  if (!snapshot.prefers_scan) queue_.CopyUnlinked(tail);
  return snapshot;
}

absl::StatusOr<std::vector<Neighbor>> HnswIndex::Search(std::span<const float> query,
                                                        const IndexSearchOptions& options,
                                                        const CancelToken& cancel,
                                                        IndexSearchTrace* trace) const {
  VETTORE_RETURN_IF_ERROR(CheckDimension(query, distance_.dim()));
  VETTORE_RETURN_IF_ERROR(cancel.Poll());
  size_t allowed_count = options.allowed_count;
  if (options.allowed != nullptr && allowed_count == 0) allowed_count = options.allowed->Count();
  ScratchPool::Lease scratch(scratches_);
  IndexSearchTrace own_trace;
  auto settled = FindSettled(options.k, [&](size_t wanted) -> absl::StatusOr<Settled> {
    const size_t ef = std::max<size_t>(options.ef_search.value_or(config_.ef_search), wanted);
    const Request request{query, options, wanted, ef, allowed_count, cancel};
    const Snapshot snapshot = TakeSnapshot(request, (*scratch).tail);
    VETTORE_ASSIGN_OR_RETURN(const std::vector<Hit> hits,
                             SearchSnapshot(request, snapshot, *scratch, own_trace));
    return Settle(rows_, distance_, query.data(), hits);
  });
  if (trace != nullptr) *trace = own_trace;
  return settled;
}

bool HnswIndex::PrefersScan(const Request& request, const Snapshot& snapshot) const {
  if (request.options.exact) return true;
  // A graph search expands about ef nodes, each with about m neighbours that are new.
  const double graph_distances = static_cast<double>(request.ef) * config_.m;
  const auto linked = static_cast<double>(snapshot.linked - snapshot.dead_linked);
  // What the graph lacks is scanned anyway; while that is most of all, as after a start, the rest
  // is scanned too, and the answer is exact.
  if (2 * linked < static_cast<double>(snapshot.live)) return true;
  if (request.options.allowed == nullptr) return linked <= graph_distances;
  return linked <= graph_distances || request.allowed_count <= request.ef;
}

absl::StatusOr<std::vector<Hit>> HnswIndex::SearchSnapshot(const Request& request,
                                                           const Snapshot& snapshot,
                                                           SearchScratch& scratch,
                                                           IndexSearchTrace& trace) const {
  if (snapshot.prefers_scan) return SearchExactly(request, snapshot, trace);
  VETTORE_ASSIGN_OR_RETURN(std::vector<Hit> hits, SearchGraph(request, snapshot, scratch, trace));
  // Who asks for k gets k when k exist, whatever shape the graph is in.
  const size_t admitted =
      request.options.allowed == nullptr ? snapshot.live : std::numeric_limits<size_t>::max();
  if (hits.size() >= std::min(request.k, admitted)) return hits;
  return SearchExactly(request, snapshot, trace);
}

absl::StatusOr<std::vector<Hit>> HnswIndex::SearchExactly(const Request& request,
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

absl::StatusOr<std::vector<Hit>> HnswIndex::SearchGraph(const Request& request,
                                                        const Snapshot& snapshot,
                                                        SearchScratch& scratch,
                                                        IndexSearchTrace& trace) const {
  TopK top(request.k);
  ExactScan scan({rows_, distance_, request.query.data(), snapshot.version}, top);
  VETTORE_RETURN_IF_ERROR(scan.Rows(scratch.tail, request.options.allowed, request.cancel));

  const SlotBitmap* const allowed = request.options.allowed;
  const auto admits = [&](Row row) {
    return (allowed == nullptr || allowed->Contains(rows_.slot(row))) &&
           rows_.IsVisibleAt(row, snapshot.version);
  };
  scratch.in_tail.Reset(rows_.end());
  scratch.in_tail.Insert(scratch.tail);
  snapshot.graph->codes().Prepare(request.query.data(), scratch.query);
  scratch.distances = 0;
  scratch.hops = 0;
  VETTORE_ASSIGN_OR_RETURN(trace.plan, FillPool(request, snapshot, admits, {scratch, scan, top}));
  // A row may have left the tail for the graph since; and the search without a filter has asked
  // nothing yet.
  const auto is_new = [&](Row row) { return !scratch.in_tail.Contains(row) && admits(row); };
  VETTORE_RETURN_IF_ERROR(MeasureAgain(request, snapshot, is_new, {scratch, scan, top}));
  trace.distances += scratch.distances + scan.distances();
  trace.hops += scratch.hops;
  return top.TakeSorted();
}

// Of the rows that a search meets; > 0, because what has none is scanned.
double HnswIndex::AdmittedShare(const Request& request, const Snapshot& snapshot) {
  const auto of = [](size_t part, size_t whole) {
    return static_cast<double>(part) / static_cast<double>(std::max<size_t>(whole, 1));
  };
  return request.options.allowed != nullptr
             ? of(request.allowed_count, snapshot.live)
             : of(snapshot.linked - snapshot.dead_linked, snapshot.linked);
}

absl::StatusOr<std::string_view> HnswIndex::FillPool(const Request& request,
                                                     const Snapshot& snapshot,
                                                     absl::FunctionRef<bool(Row)> admits,
                                                     Reranking reranking) const {
  SearchScratch& scratch = reranking.scratch;
  const HnswGraph& graph = *snapshot.graph;
  const size_t ef = std::min(request.ef, snapshot.linked);
  const bool is_filtered = request.options.allowed != nullptr;
  if (!is_filtered && snapshot.dead_linked == 0) {
    VETTORE_RETURN_IF_ERROR(graph.Search(ef, request.cancel, scratch));
    return "graph";
  }
  // Of so many candidates about `ef` are admitted, or fewer where the query is than elsewhere.
  double widened = static_cast<double>(ef) / std::min(AdmittedShare(request, snapshot), 1.0);
  const auto linked = static_cast<double>(snapshot.linked);
  const double widest = std::max(kWidest, 2 * static_cast<double>(ef));
  const size_t enough = std::min(ef, std::max(request.k, ef / 2));
  const auto scan_is_cheaper = [&] {
    const double graph_codes = kCodesPerNeighbor * config_.m * widened;
    return is_filtered && static_cast<double>(request.allowed_count) <= graph_codes;
  };
  for (; widened <= widest && !scan_is_cheaper(); widened *= 2) {
    const auto most = static_cast<size_t>(std::min(widened, linked));
    VETTORE_RETURN_IF_ERROR(graph.Search(most, request.cancel, scratch));
    if (CountAdmitted(scratch.pool, admits) >= enough) {
      return is_filtered ? "filtered graph" : "graph";
    }
  }
  if (is_filtered) {
    VETTORE_RETURN_IF_ERROR(ScanCodes(request, snapshot, reranking));
    return "code scan";
  }
  VETTORE_RETURN_IF_ERROR(graph.Search({ef, admits}, request.cancel, scratch));
  return "graph";
}

absl::Status HnswIndex::ScanCodes(const Request& request, const Snapshot& snapshot,
                                  Reranking reranking) const {
  SearchScratch& scratch = reranking.scratch;
  const CodeStore& codes = snapshot.graph->codes();
  // Among the allowed, unlike among what a graph search meets, many may be about as far as each
  // other.
  scratch.pool.Reset(std::max(request.ef, kScanPoolPart * request.k));
  scratch.admitted.clear();
  request.options.allowed->ForEach([&](Slot slot) {
    const Row row = rows_.RowOf(slot);
    if (row != kNoRow && !scratch.in_tail.Contains(row)) scratch.admitted.push_back(row);
    return true;
  });
  const std::span<Row> rows = scratch.admitted;
  const auto block = [&](size_t begin) {
    const size_t first = std::min(begin, rows.size());
    return rows.subspan(first, std::min(kScanBlock, rows.size() - first));
  };
  // A row that is younger than this search stands for the one that it replaced since; the graph
  // need not know it.
  std::vector<Row> young;
  // Three blocks are under way: the lives of one, and then its codes, are fetched while those
  // before it are looked at. The rows to measure move to the front.
  rows_.PrefetchLives(block(0));
  size_t measured = 0;
  size_t to_measure = 0;
  for (size_t begin = 0; measured < to_measure || begin < rows.size(); begin += kScanBlock) {
    VETTORE_RETURN_IF_ERROR(request.cancel.Poll());
    rows_.PrefetchLives(block(begin + kScanBlock));
    const size_t fetched = to_measure;
    for (const Row row : block(begin)) {
      if (rows_.IsVisibleAt(row, snapshot.version)) {
        rows[to_measure++] = row;
      } else {
        young.push_back(row);
      }
    }
    codes.Prefetch(rows.subspan(fetched, to_measure - fetched));
    const std::span<const Row> here = rows.subspan(measured, fetched - measured);
    codes.Measure(scratch.query, here, scratch.measured);
    for (size_t i = 0; i < here.size(); ++i) {
      scratch.pool.Insert({scratch.measured[i], here[i]});
    }
    measured = fetched;
  }
  reranking.scan.Rows(young);
  scratch.distances += measured;
  return absl::OkStatus();
}

// Nearest by code first, so that the end comes early.
absl::Status HnswIndex::MeasureAgain(const Request& request, const Snapshot& snapshot,
                                     absl::FunctionRef<bool(Row)> is_new,
                                     Reranking reranking) const {
  auto& [scratch, scan, top] = reranking;
  const CodeStore& codes = snapshot.graph->codes();
  Row block[kBlock];
  for (size_t i = 0; i < scratch.pool.size();) {
    size_t count = 0;
    for (; i < scratch.pool.size() && count < kBlock; ++i) {
      const Candidate candidate = scratch.pool[i];
      if (!is_new(candidate.row)) continue;
      if (top.size() == request.k &&
          codes.LikelyLeast(scratch.query, candidate.row, candidate.distance, kErrors) >
              top.threshold()) {
        i = scratch.pool.size();
        break;
      }
      rows_.Prefetch(candidate.row);
      block[count++] = candidate.row;
    }
    VETTORE_RETURN_IF_ERROR(scan.Rows({block, count}, nullptr, request.cancel));
  }
  return absl::OkStatus();
}

}  // namespace vettore
