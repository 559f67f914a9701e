// The HNSW index: a graph, an exactly scanned tail of what the graph has not taken, and threads
// that link it.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "index/background_workers.h"
#include "index/exact_scan.h"
#include "index/graph/link_queue.h"
#include "index/graph/search_scratch.h"
#include "index/rows/era_chain.h"
#include "index/rows/row_store.h"
#include "index/rows/vector_file.h"
#include "index/top_k.h"
#include "index/traced_mutex.h"
#include "index/vector_distance.h"
#include "index/vector_index.h"

namespace vettore {

// Malkov & Yashunin (2018). A put never waits for the graph; a search takes one short lock, to see
// a state, and none after. Thread-safe.
class HnswIndex : public VectorIndex {
 public:
  HnswIndex(const VectorConfig& config, const HnswConfig& hnsw, const IndexRunOptions& run,
            std::unique_ptr<VectorFile> file);

  absl::Status Put(Slot slot, std::span<const float> vector) override ABSL_LOCKS_EXCLUDED(mutex_);
  void Remove(Slot slot) override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::vector<Neighbor>> Search(std::span<const float> query,
                                               const IndexSearchOptions& options,
                                               const CancelToken& cancel,
                                               IndexSearchTrace* trace) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  IndexStats Stats() const override ABSL_LOCKS_EXCLUDED(mutex_);
  SlotBitmap Slots() const override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status WaitUntilIndexed(const CancelToken& cancel) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::unique_ptr<IndexCheckpoint>> BeginCheckpoint() override
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Reads what a checkpoint wrote into an empty index whose file is that of the checkpoint.
  // DataLoss, ResourceExhausted. Once, before anything else.
  absl::Status Restore(ChecksummedReader& in) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class Checkpoint;
  struct State;
  // The state that one search sees.
  struct Snapshot {
    std::shared_ptr<const Era> era;
    std::shared_ptr<const HnswGraph> graph;
    uint64_t version = 0;
    size_t live = 0;
    size_t linked = 0;
    size_t dead_linked = 0;
    bool prefers_scan = false;  // The plan; the graph's tail was copied only when it is the graph.
  };
  // What one search asks.
  struct Request {
    std::span<const float> query;
    const IndexSearchOptions& options;
    size_t k;  // Of the options, or more in place of hits that were removed meanwhile.
    size_t ef;
    size_t allowed_count;  // Of options.allowed, when that is not null.
    const CancelToken& cancel;
  };

  Snapshot TakeSnapshot(const Request& request, std::vector<Row>& tail) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  bool PrefersScan(const Request& request, const Snapshot& snapshot) const;
  absl::StatusOr<std::vector<Hit>> SearchSnapshot(const Request& request, const Snapshot& snapshot,
                                                  SearchScratch& scratch,
                                                  IndexSearchTrace& trace) const;
  absl::StatusOr<std::vector<Hit>> SearchExactly(const Request& request, const Snapshot& snapshot,
                                                 IndexSearchTrace& trace) const;
  // The nearest of graph and tail.
  absl::StatusOr<std::vector<Hit>> SearchGraph(const Request& request, const Snapshot& snapshot,
                                               SearchScratch& scratch,
                                               IndexSearchTrace& trace) const;
  // What a graph search left behind, and where its hits go.
  struct Reranking {
    SearchScratch& scratch;
    ExactScan& scan;
    TopK& top;
  };
  static double AdmittedShare(const Request& request, const Snapshot& snapshot);
  // Leaves the candidates in scratch.pool, and says by which plan they were found.
  absl::StatusOr<std::string_view> FillPool(const Request& request, const Snapshot& snapshot,
                                            absl::FunctionRef<bool(Row)> admits,
                                            Reranking reranking) const;
  // The nearest by code of what the allowed slots hold.
  absl::Status ScanCodes(const Request& request, const Snapshot& snapshot,
                         Reranking reranking) const;
  // Measures the candidates with their vectors, as far as they may be among the nearest.
  absl::Status MeasureAgain(const Request& request, const Snapshot& snapshot,
                            absl::FunctionRef<bool(Row)> is_new, Reranking reranking) const;
  // Of the rows that it will hold; for the quantizer to learn from.
  std::unique_ptr<const VectorCodec> LearnCodec(std::span<const Row> sample) const;
  std::shared_ptr<HnswGraph> MakeGraph(uint32_t generation,
                                       std::unique_ptr<const VectorCodec> codec) const;
  // ResourceExhausted. done: so many of the portion's rows.
  absl::Status Do(const LinkQueue::Portion& portion, size_t& done);
  // Does one portion; false when there is none.
  bool LinkSome() ABSL_LOCKS_EXCLUDED(mutex_);

  const VectorDistance distance_;
  const HnswConfig config_;
  const Quantization quantization_;  // Resolved.

  mutable ScratchPool scratches_;

  // The changes of rows_, the eras and the queue are guarded; reading rows_ is thread-safe.
  mutable TracedMutex mutex_;
  mutable TracedCondition linked_;
  RowStore rows_;
  EraChain eras_ ABSL_GUARDED_BY(mutex_);
  LinkQueue queue_ ABSL_GUARDED_BY(mutex_);

  // Last: its threads end before anything that they use.
  mutable BackgroundWorkers workers_;
};

}  // namespace vettore
