#include "index/graph/graph_search.h"

#include <algorithm>

#include "base/status.h"
#include "index/candidate_pool.h"

namespace vettore {
namespace {

// The nearest by code are measured again until the next one is this many standard deviations of the
// code's error too far.
constexpr float kErrors = 2;
// Codes fetched side by side.
constexpr size_t kScanBlock = 64;
// So many times k are kept of a scan, to be measured again as far as the code's error asks for.
constexpr size_t kScanPoolPart = 16;
// A scan of so many codes takes about as long as a graph search takes for each neighbour of each
// node that it expands: the scan's codes lie in order.
constexpr double kCodesPerNeighbor = 1.5;
// A pool is kept in order by moving what lies behind: not made for more candidates.
constexpr double kWidest = 4096;

double ShareOf(size_t part, size_t whole) {
  return static_cast<double>(part) / static_cast<double>(std::max<size_t>(whole, 1));
}

}  // namespace

size_t GraphSearch::ef() const { return std::min(context_.terms.ef, context_.snapshot.linked); }

double GraphSearch::AdmittedShare() const {
  return is_filtered() ? ShareOf(context_.terms.allowed_count, context_.snapshot.live)
                       : ShareOf(context_.snapshot.linked - context_.snapshot.dead_linked,
                                 context_.snapshot.linked);
}

void GraphSearch::AddTo(IndexSearchTrace& trace) const {
  trace.plan = plan_;
  trace.distances += scratch_.distances + scan_.distances();
  trace.hops += scratch_.hops;
}

absl::StatusOr<bool> GraphSearch::Step() {
  switch (stage_) {
    case Stage::kTail:
      VETTORE_RETURN_IF_ERROR(Begin());
      break;
    case Stage::kWalk:
      if (walk_->Step()) return true;
      VETTORE_RETURN_IF_ERROR(CompletePool());
      break;
    case Stage::kMeasure:
      VETTORE_RETURN_IF_ERROR(MeasureAgain());
      break;
    case Stage::kDone:
      break;
  }
  return stage_ != Stage::kDone;
}

absl::Status GraphSearch::Begin() {
  VETTORE_RETURN_IF_ERROR(
      scan_.Rows(context_.tail.rows, context_.terms.options.allowed, context_.terms.cancel));
  const HnswGraph& graph = *context_.snapshot.graph;
  graph.codes().Prepare(query_, scratch_.query);
  scratch_.distances = 0;
  scratch_.hops = 0;
  // Of so many candidates about `ef` are admitted, or fewer where the query is than elsewhere.
  widened_ = static_cast<double>(ef()) / std::min(AdmittedShare(), 1.0);
  return FillPool();
}

bool GraphSearch::ScanIsCheaper() const {
  const double graph_codes = kCodesPerNeighbor * static_cast<double>(context_.m) * widened_;
  return static_cast<double>(context_.terms.allowed_count) <= graph_codes;
}

absl::Status GraphSearch::FillPool() {
  const HnswGraph& graph = *context_.snapshot.graph;
  const double widest = std::max(kWidest, 2 * static_cast<double>(ef()));
  if (widened_ <= widest && !(is_filtered() && ScanIsCheaper())) {
    plan_ = is_filtered() ? "filtered graph" : "graph";
    walk_.emplace(graph, std::min(static_cast<size_t>(widened_), context_.snapshot.linked),
                  scratch_);
    stage_ = Stage::kWalk;
    return absl::OkStatus();
  }
  if (is_filtered()) {
    plan_ = "code scan";
    VETTORE_RETURN_IF_ERROR(ScanCodes());
  } else {
    const auto admits = [this](Row row) { return Admits(row); };
    VETTORE_RETURN_IF_ERROR(graph.Search({ef(), admits}, context_.terms.cancel, scratch_));
  }
  BeginMeasuring();
  return absl::OkStatus();
}

absl::Status GraphSearch::CompletePool() {
  if (is_filtered() || context_.snapshot.dead_linked > 0) {
    size_t admitted = 0;
    for (size_t i = 0; i < scratch_.pool.size(); ++i) {
      admitted += Admits(scratch_.pool[i].row) ? 1U : 0U;
    }
    if (admitted < std::min(ef(), std::max(context_.terms.k, ef() / 2))) {
      widened_ *= 2;
      return FillPool();
    }
  }
  BeginMeasuring();
  return absl::OkStatus();
}

absl::Status GraphSearch::ScanCodes() {
  const CodeStore& codes = context_.snapshot.graph->codes();
  CollectAllowed();
  // Among the allowed, unlike among what a graph search meets, many may be about as far as each
  // other.
  CandidatePool nearest(std::max(context_.terms.ef, kScanPoolPart * context_.terms.k));
  const std::span<const Row> rows = scratch_.admitted;
  const auto block = [&](size_t begin) {
    const size_t first = std::min(begin, rows.size());
    return rows.subspan(first, std::min(kScanBlock, rows.size() - first));
  };
  codes.Prefetch(block(0));
  for (size_t begin = 0; begin < rows.size(); begin += kScanBlock) {
    VETTORE_RETURN_IF_ERROR(context_.terms.cancel.Poll());
    codes.Prefetch(block(begin + kScanBlock));
    const std::span<const Row> here = block(begin);
    codes.Measure(scratch_.query, here, scratch_.measured);
    for (size_t i = 0; i < here.size(); ++i) {
      const float distance = scratch_.measured[i];
      if (distance < nearest.limit()) nearest.Push({distance, here[i]});
    }
  }
  scratch_.distances += rows.size();
  const std::vector<Candidate> sorted = nearest.TakeSorted();
  scratch_.pool.Reset(std::max<size_t>(sorted.size(), 1));
  for (const Candidate& candidate : sorted) scratch_.pool.Insert(candidate);
  return absl::OkStatus();
}

void GraphSearch::CollectAllowed() {
  const RowStore& store = context_.rows;
  std::vector<Row>& rows = scratch_.admitted;
  rows.clear();
  context_.terms.options.allowed->ForEach([&](Slot slot) {
    const Row row = store.RowOf(slot);
    if (row != kNoRow && !context_.tail.set.Contains(row)) rows.push_back(row);
    return true;
  });
  if (!store.HasChangedSince(context_.snapshot.version)) return;
  // A row that is younger than this search stands for the one that it replaced since; the graph
  // need not know it, so that its vector is measured.
  size_t kept = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kScanBlock < rows.size()) store.PrefetchState(rows[i + kScanBlock]);
    if (store.IsVisibleAt(rows[i], context_.snapshot.version)) {
      rows[kept++] = rows[i];
    } else {
      scan_.Rows({&rows[i], 1});
    }
  }
  rows.resize(kept);
}

void GraphSearch::BeginMeasuring() {
  // Until k are measured no code tells that its vector is too far.
  for (size_t i = 0; i < std::min(kBlock, scratch_.pool.size()); ++i) {
    context_.rows.PrefetchState(scratch_.pool[i].row);
    context_.rows.Prefetch(scratch_.pool[i].row);
  }
  stage_ = Stage::kMeasure;
}

absl::Status GraphSearch::MeasureAgain() {
  VETTORE_RETURN_IF_ERROR(scan_.Rows({block_, block_size_}, nullptr, context_.terms.cancel));
  const CodeStore& codes = context_.snapshot.graph->codes();
  block_size_ = 0;
  for (; next_ < scratch_.pool.size() && block_size_ < kBlock; ++next_) {
    const Candidate candidate = scratch_.pool[next_];
    // A row may have left the tail for the graph since; and the search without a filter has asked
    // nothing yet.
    if (context_.tail.set.Contains(candidate.row) || !Admits(candidate.row)) continue;
    if (top_.size() == context_.terms.k &&
        codes.LikelyLeast(scratch_.query, candidate.row, candidate.distance, kErrors) >
            top_.threshold()) {
      next_ = scratch_.pool.size();
      break;
    }
    context_.rows.Prefetch(candidate.row);
    block_[block_size_++] = candidate.row;
  }
  if (block_size_ == 0) stage_ = Stage::kDone;
  return absl::OkStatus();
}

}  // namespace vettore
