// Planning and running the searches of the HNSW index.
#include <algorithm>
#include <deque>
#include <limits>
#include <optional>
#include <utility>

#include "base/status.h"
#include "index/exact_batch_scan.h"
#include "index/exact_scan.h"
#include "index/graph/graph_search.h"
#include "index/graph/hnsw_index.h"
#include "index/settle.h"

namespace vettore {
namespace {

// Between two looks at the cancel token: about a thousand distances.
constexpr size_t kStepsPerPoll = 64;
// Of a batch, on one thread: one walks through the graph, while what the others begin or end with
// is on its way from memory. Walks gain nothing by taking turns: each asks ahead for what it reads
// itself, and several compete for the nearest cache.
constexpr size_t kInFlight = 3;

size_t CountAllowed(const IndexSearchOptions& options) {
  if (options.allowed == nullptr || options.allowed_count > 0) return options.allowed_count;
  return options.allowed->Count();
}

}  // namespace

GraphTerms HnswIndex::TermsOf(const IndexSearchOptions& options, size_t wanted,
                              size_t allowed_count, const CancelToken& cancel) const {
  return {.options = options,
          .k = wanted,
          .ef = std::max<size_t>(options.ef_search.value_or(config_.ef_search), wanted),
          .allowed_count = allowed_count,
          .cancel = cancel};
}

GraphSnapshot HnswIndex::TakeSnapshot(const GraphTerms& terms, GraphTail& tail) const {
  GraphSnapshot snapshot;
  {
    TracedLock lock(mutex_);
    snapshot = {.era = eras_.current(),
                .graph = queue_.graph(),
                .version = rows_.version(),
                .live = rows_.live(),
                .linked = queue_.linked(),
                .dead_linked = queue_.dead_linked()};
    snapshot.prefers_scan = PrefersScan(terms, snapshot);
    if (snapshot.prefers_scan) return snapshot;
    queue_.CopyUnlinked(tail.rows);
  }
  tail.set.Reset(rows_.end());
  tail.set.Insert(tail.rows);
  return snapshot;
}

bool HnswIndex::PrefersScan(const GraphTerms& terms, const GraphSnapshot& snapshot) const {
  if (terms.options.exact) return true;
  // A graph search expands about ef nodes, each with about m neighbours that are new.
  const double graph_distances = static_cast<double>(terms.ef) * config_.m;
  const auto linked = static_cast<double>(snapshot.linked - snapshot.dead_linked);
  // What the graph lacks is scanned anyway; while that is most of all, as after a start, the rest
  // is scanned too, and the answer is exact.
  if (2 * linked < static_cast<double>(snapshot.live)) return true;
  if (terms.options.allowed == nullptr) return linked <= graph_distances;
  return linked <= graph_distances || terms.allowed_count <= terms.ef;
}

absl::StatusOr<std::vector<Neighbor>> HnswIndex::Search(std::span<const float> query,
                                                        const IndexSearchOptions& options,
                                                        const CancelToken& cancel,
                                                        IndexSearchTrace* trace) const {
  VETTORE_RETURN_IF_ERROR(CheckDimension(query, distance_.dim()));
  VETTORE_RETURN_IF_ERROR(cancel.Poll());
  const size_t allowed_count = CountAllowed(options);
  ScratchPool::Lease scratch(scratches_);
  IndexSearchTrace own_trace;
  auto settled = FindSettled(options.k, [&](size_t wanted) -> absl::StatusOr<Settled> {
    const GraphTerms terms = TermsOf(options, wanted, allowed_count, cancel);
    GraphTail& tail = (*scratch).tail;
    const GraphSnapshot snapshot = TakeSnapshot(terms, tail);
    const GraphContext context{rows_, distance_, config_.m, terms, snapshot, tail};
    VETTORE_ASSIGN_OR_RETURN(const std::vector<Hit> hits,
                             snapshot.prefers_scan
                                 ? SearchExactly(context, query.data(), own_trace)
                                 : SearchGraph(context, query.data(), *scratch, own_trace));
    return Settle(rows_, distance_, query.data(), hits);
  });
  if (trace != nullptr) *trace = own_trace;
  return settled;
}

absl::StatusOr<std::vector<Hit>> HnswIndex::SearchExactly(const GraphContext& context,
                                                          const float* query,
                                                          IndexSearchTrace& trace) const {
  const GraphTerms& terms = context.terms;
  TopK top(terms.k);
  ExactScan scan({rows_, distance_, query, context.snapshot.version}, top);
  if (terms.options.allowed != nullptr) {
    VETTORE_RETURN_IF_ERROR(scan.Slots(*terms.options.allowed, terms.cancel));
  } else {
    VETTORE_RETURN_IF_ERROR(scan.All(rows_.end(), terms.cancel));
  }
  trace.plan = "exact scan";
  trace.distances += scan.distances();
  return top.TakeSorted();
}

absl::StatusOr<std::vector<Hit>> HnswIndex::SearchGraph(const GraphContext& context,
                                                        const float* query, SearchScratch& scratch,
                                                        IndexSearchTrace& trace) const {
  GraphSearch search(context, query, scratch);
  for (size_t steps = 1;; ++steps) {
    VETTORE_ASSIGN_OR_RETURN(const bool goes_on, search.Step());
    if (!goes_on) break;
    if (steps % kStepsPerPoll == 0) {
      VETTORE_RETURN_IF_ERROR(context.terms.cancel.Poll());
    }
  }
  return HitsOf(search, context, query, trace);
}

absl::StatusOr<std::vector<Hit>> HnswIndex::HitsOf(GraphSearch& search, const GraphContext& context,
                                                   const float* query,
                                                   IndexSearchTrace& trace) const {
  search.AddTo(trace);
  std::vector<Hit> hits = search.TakeHits();
  // Who asks for k gets k when k exist, whatever shape the graph is in.
  const size_t admitted = context.terms.options.allowed == nullptr
                              ? context.snapshot.live
                              : std::numeric_limits<size_t>::max();
  if (hits.size() >= std::min(context.terms.k, admitted)) return hits;
  return SearchExactly(context, query, trace);
}

absl::StatusOr<std::vector<std::vector<Neighbor>>> HnswIndex::SearchBatch(
    std::span<const std::span<const float>> queries, const IndexSearchOptions& options,
    const CancelToken& cancel, std::span<IndexSearchTrace> traces) const {
  for (const std::span<const float> query : queries) {
    VETTORE_RETURN_IF_ERROR(CheckDimension(query, distance_.dim()));
  }
  VETTORE_RETURN_IF_ERROR(cancel.Poll());
  if (options.k == 0 || queries.empty()) return std::vector<std::vector<Neighbor>>(queries.size());
  const GraphTerms terms = TermsOf(options, options.k, CountAllowed(options), cancel);
  ScratchPool::Lease shared(scratches_);
  GraphTail& tail = (*shared).tail;
  const GraphSnapshot snapshot = TakeSnapshot(terms, tail);
  const GraphContext context{rows_, distance_, config_.m, terms, snapshot, tail};
  const Batch batch{queries, context, traces};
  return snapshot.prefers_scan ? ScanTogether(batch) : SearchInTurns(batch);
}

absl::StatusOr<std::vector<std::vector<Neighbor>>> HnswIndex::ScanTogether(
    const Batch& batch) const {
  const GraphTerms& terms = batch.context.terms;
  ExactBatchScan scan({rows_, distance_, batch.queries, batch.context.snapshot.version}, terms.k);
  VETTORE_RETURN_IF_ERROR(scan.Run(rows_.end(), terms.options.allowed, terms.cancel));
  const IndexSearchTrace trace{.plan = "exact scan", .distances = scan.distances()};
  std::vector<std::vector<Neighbor>> found(batch.queries.size());
  for (size_t i = 0; i < found.size(); ++i) {
    VETTORE_ASSIGN_OR_RETURN(found[i], Finish(scan.TakeSorted(i), trace, batch, i));
  }
  return found;
}

absl::StatusOr<std::vector<std::vector<Neighbor>>> HnswIndex::SearchInTurns(
    const Batch& batch) const {
  struct InFlight {
    explicit InFlight(ScratchPool& scratches) : scratch(scratches) {}
    ScratchPool::Lease scratch;
    std::optional<GraphSearch> search;
    size_t query = 0;
  };
  const GraphContext& context = batch.context;
  std::vector<std::vector<Neighbor>> found(batch.queries.size());
  std::deque<InFlight> all;
  size_t next = 0;
  const auto begin = [&](InFlight& one) {
    one.query = next++;
    one.search.emplace(context, batch.queries[one.query].data(), *one.scratch);
  };
  while (all.size() < std::min(kInFlight, batch.queries.size())) {
    begin(all.emplace_back(scratches_));
  }
  for (size_t steps = 1, running = all.size(); running > 0; ++steps) {
    bool one_walks = false;
    for (InFlight& one : all) {
      if (!one.search.has_value()) continue;
      if (one.search->is_walking() && std::exchange(one_walks, true)) continue;
      VETTORE_ASSIGN_OR_RETURN(const bool goes_on, one.search->Step());
      if (goes_on) continue;
      IndexSearchTrace trace;
      VETTORE_ASSIGN_OR_RETURN(
          const std::vector<Hit> hits,
          HitsOf(*one.search, context, batch.queries[one.query].data(), trace));
      VETTORE_ASSIGN_OR_RETURN(found[one.query], Finish(hits, trace, batch, one.query));
      one.search.reset();
      if (next < batch.queries.size()) {
        begin(one);
      } else {
        --running;
      }
    }
    if (steps % kStepsPerPoll == 0) {
      VETTORE_RETURN_IF_ERROR(context.terms.cancel.Poll());
    }
  }
  return found;
}

absl::StatusOr<std::vector<Neighbor>> HnswIndex::Finish(std::span<const Hit> hits,
                                                        const IndexSearchTrace& trace,
                                                        const Batch& batch, size_t i) const {
  const GraphTerms& terms = batch.context.terms;
  const std::span<const float> query = batch.queries[i];
  Settled settled = Settle(rows_, distance_, query.data(), hits);
  IndexSearchTrace* const kept = batch.traces.empty() ? nullptr : &batch.traces[i];
  // Others stand in for what was removed meanwhile.
  if (settled.lost > 0 && settled.neighbors.size() < terms.k) {
    return Search(query, terms.options, terms.cancel, kept);
  }
  if (kept != nullptr) *kept = trace;
  return std::move(settled.neighbors);
}

}  // namespace vettore
