// One search of an HNSW index through its graph, as steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "index/exact_scan.h"
#include "index/graph/hnsw_graph.h"
#include "index/graph/search_scratch.h"
#include "index/rows/era_chain.h"
#include "index/rows/row_store.h"
#include "index/top_k.h"
#include "index/vector_distance.h"
#include "index/vector_index.h"

namespace vettore {

// The state that a search sees, or several do.
struct GraphSnapshot {
  std::shared_ptr<const Era> era;
  std::shared_ptr<const HnswGraph> graph;
  uint64_t version = 0;
  size_t live = 0;
  size_t linked = 0;
  size_t dead_linked = 0;
  bool prefers_scan = false;  // The plan; the graph's tail was copied only when it is the graph.
};

// What is asked of it, but for the query.
struct GraphTerms {
  const IndexSearchOptions& options;
  size_t k;  // Of the options, or more in place of hits that were removed meanwhile.
  size_t ef;
  size_t allowed_count;  // Of options.allowed, when that is not null.
  const CancelToken& cancel;
};

// What the searches of an index share that see the same state and ask the same; borrowed.
struct GraphContext {
  const RowStore& rows;
  const VectorDistance& distance;
  size_t m;  // Of the graph.
  const GraphTerms& terms;
  const GraphSnapshot& snapshot;
  const GraphTail& tail;  // What the graph of the snapshot lacks.
};

// Finds candidates by their codes in the graph, or by a scan of the codes that a filter admits;
// then measures the nearest again with their vectors. Each step asks for the memory that the next
// one reads, so that several searches that take turns on a thread wait for none of it. Externally
// synchronised.
class GraphSearch {
 public:
  // query: (dim). The borrows, and what they borrow, must outlive it.
  GraphSearch(const GraphContext& context, const float* query, SearchScratch& scratch)
      : context_(context),
        query_(query),
        scratch_(scratch),
        top_(context.terms.k),
        scan_({context.rows, context.distance, query, context.snapshot.version}, top_) {}
  GraphSearch(const GraphSearch&) = delete;
  GraphSearch& operator=(const GraphSearch&) = delete;

  // False when the search is done. The cancel token's status: only what takes long by itself polls
  // it, who calls does between steps.
  absl::StatusOr<bool> Step();

  // Whether the next step is one of the graph's level 0: most are, and they wait for memory least.
  bool is_walking() const { return stage_ == Stage::kWalk; }

  // When it is done, once: the nearest of graph and tail.
  std::vector<Hit> TakeHits() { return top_.TakeSorted(); }
  // Counts what it did.
  void AddTo(IndexSearchTrace& trace) const;

 private:
  enum class Stage { kTail, kWalk, kMeasure, kDone };

  bool is_filtered() const { return context_.terms.options.allowed != nullptr; }
  // Whether the search may return the row.
  bool Admits(Row row) const {
    return (!is_filtered() || context_.terms.options.allowed->Contains(context_.rows.slot(row))) &&
           context_.rows.IsVisibleAt(row, context_.snapshot.version);
  }
  // Of the rows that a search meets; > 0, because what has none is scanned.
  double AdmittedShare() const;
  size_t ef() const;

  // Scans the tail, and begins with the plan that the filter and the state of the graph call for.
  absl::Status Begin();
  // The nearest by code of what the allowed slots hold.
  absl::Status ScanCodes();
  // The rows of the allowed slots that the graph knows; what it does not know yet is measured.
  void CollectAllowed();
  // Looks for more candidates, or scans, when the graph found too few that are admitted.
  absl::Status CompletePool();
  // Begins to look for widened_ candidates, or scans.
  absl::Status FillPool();
  bool ScanIsCheaper() const;
  void BeginMeasuring();
  // Measures what was chosen with its vectors, and chooses the next: nearest by code first, as far
  // as they may be among the nearest.
  absl::Status MeasureAgain();

  // Vectors that are fetched side by side.
  static constexpr size_t kBlock = 16;

  const GraphContext& context_;
  const float* const query_;
  SearchScratch& scratch_;

  Stage stage_ = Stage::kTail;
  std::string_view plan_;
  double widened_ = 0;  // Candidates of the graph, admitted or not.
  std::optional<HnswGraph::Walk> walk_;
  TopK top_;
  ExactScan scan_;
  size_t next_ = 0;  // Of the pool, to be chosen.
  Row block_[kBlock] = {};
  size_t block_size_ = 0;
};

}  // namespace vettore
