// The HNSW index: a graph, an exactly scanned tail of what the graph has not taken, and threads
// that link it.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "index/background_workers.h"
#include "index/graph/graph_search.h"
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
  absl::StatusOr<std::vector<std::vector<Neighbor>>> SearchBatch(
      std::span<const std::span<const float>> queries, const IndexSearchOptions& options,
      const CancelToken& cancel, std::span<IndexSearchTrace> traces) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  IndexStats Stats() const override ABSL_LOCKS_EXCLUDED(mutex_);
  SlotBitmap Slots() const override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status WaitUntilIndexed(const CancelToken& cancel) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::unique_ptr<IndexCheckpoint>> BeginCheckpoint() override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<IndexReport> Inspect() override ABSL_LOCKS_EXCLUDED(mutex_);
  // Reads what a checkpoint wrote into an empty index whose file is that of the checkpoint.
  // DataLoss, ResourceExhausted. Once, before anything else.
  absl::Status Restore(ChecksummedReader& in) ABSL_LOCKS_EXCLUDED(mutex_);
  // Reads it as Restore() would, and says all that is wrong with it; the index is not used
  // afterwards. changed: as InspectCheckpoint(). DataLoss: what cannot be read at all;
  // ResourceExhausted. Once, before anything else.
  absl::StatusOr<IndexReport> InspectCheckpoint(const SlotBitmap& changed, ChecksummedReader& in)
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class Checkpoint;
  struct State;
  // Pauses the queue and captures the state. Unavailable while the graph is being rebuilt.
  absl::StatusOr<std::unique_ptr<Checkpoint>> Capture() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<State> ReadState(ChecksummedReader& in) const;
  // allowed_count: of options.allowed.
  GraphTerms TermsOf(const IndexSearchOptions& options, size_t wanted, size_t allowed_count,
                     const CancelToken& cancel) const;
  // Leaves in `tail` what the graph lacks, unless the plan is a scan.
  GraphSnapshot TakeSnapshot(const GraphTerms& terms, GraphTail& tail) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  bool PrefersScan(const GraphTerms& terms, const GraphSnapshot& snapshot) const;
  absl::StatusOr<std::vector<Hit>> SearchExactly(const GraphContext& context, const float* query,
                                                 IndexSearchTrace& trace) const;
  absl::StatusOr<std::vector<Hit>> SearchGraph(const GraphContext& context, const float* query,
                                               SearchScratch& scratch,
                                               IndexSearchTrace& trace) const;
  // Of a search that is done.
  absl::StatusOr<std::vector<Hit>> HitsOf(GraphSearch& search, const GraphContext& context,
                                          const float* query, IndexSearchTrace& trace) const;
  // What SearchBatch() was asked.
  struct Batch {
    std::span<const std::span<const float>> queries;
    const GraphContext& context;
    std::span<IndexSearchTrace> traces;
  };
  absl::StatusOr<std::vector<std::vector<Neighbor>>> ScanTogether(const Batch& batch) const;
  absl::StatusOr<std::vector<std::vector<Neighbor>>> SearchInTurns(const Batch& batch) const;
  // The neighbours of query `i`, of which `hits` were found.
  absl::StatusOr<std::vector<Neighbor>> Finish(std::span<const Hit> hits,
                                               const IndexSearchTrace& trace, const Batch& batch,
                                               size_t i) const;
  // For the rows that live now. Externally synchronised with the changes of rows_.
  Quantization PickQuantization() const;
  // Whether the graph's codes are larger than those that would be picked now.
  bool IsOutgrown(const HnswGraph& graph) const;
  // Of the rows that it will hold; for the quantizer to learn from. As PickQuantization().
  std::unique_ptr<const VectorCodec> LearnCodec(std::span<const Row> sample) const;
  std::shared_ptr<HnswGraph> MakeGraph(uint32_t generation,
                                       std::unique_ptr<const VectorCodec> codec) const;
  // ResourceExhausted. done: so many of the portion's rows.
  absl::Status Do(const LinkQueue::Portion& portion, size_t& done);
  // Does one portion; false when there is none.
  bool LinkSome() ABSL_LOCKS_EXCLUDED(mutex_);

  const VectorDistance distance_;
  const HnswConfig config_;
  const size_t memory_bytes_;  // See IndexRunOptions.

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
