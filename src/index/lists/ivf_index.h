// The IVF index: inverted lists around centroids, an exactly scanned tail of what is in no list
// yet, and threads that train, assign and tidy.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "index/background_workers.h"
#include "index/lists/ivf_builder.h"
#include "index/lists/ivf_roster.h"
#include "index/lists/ivf_search.h"
#include "index/rows/era_chain.h"
#include "index/rows/row_store.h"
#include "index/rows/vector_file.h"
#include "index/shared_loop.h"
#include "index/traced_mutex.h"
#include "index/vector_distance.h"
#include "index/vector_index.h"

namespace vettore {

// Jegou, Douze & Schmid (2011), "Product quantization for nearest neighbor search", section IV. A
// put never waits for training; a search takes one short lock, to see a state, and none after: what
// it sees is immutable. Thread-safe.
class IvfIndex : public VectorIndex {
 public:
  IvfIndex(const VectorConfig& config, const IvfConfig& ivf, const IndexRunOptions& run,
           std::unique_ptr<VectorFile> file);

  absl::Status Put(Slot slot, std::span<const float> vector) override ABSL_LOCKS_EXCLUDED(mutex_);
  void Remove(Slot slot) override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::vector<Neighbor>> Search(std::span<const float> query,
                                               const IndexSearchOptions& options,
                                               const CancelToken& cancel,
                                               IndexSearchTrace* trace) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Groups of queries share a state, and what they read of it; see IvfSearcher.
  absl::StatusOr<std::vector<std::vector<Neighbor>>> SearchBatch(
      std::span<const std::span<const float>> queries, const IndexSearchOptions& options,
      const CancelToken& cancel, std::span<IndexSearchTrace> traces) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  IndexStats Stats() const override ABSL_LOCKS_EXCLUDED(mutex_);
  SlotBitmap Slots() const override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::unique_ptr<IndexCheckpoint>> BeginCheckpoint() override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<IndexReport> Inspect() override ABSL_LOCKS_EXCLUDED(mutex_);
  // As those of HnswIndex.
  absl::Status Restore(ChecksummedReader& in) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<IndexReport> InspectCheckpoint(const SlotBitmap& changed, ChecksummedReader& in)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Also waits for training that is due.
  absl::Status WaitUntilIndexed(const CancelToken& cancel) const override
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class Checkpoint;

  // What a search of the request sees.
  IvfSnapshot SnapshotFor(const IvfRequest& request) const ABSL_LOCKS_EXCLUDED(mutex_);

  // One piece of background work; false when there is none.
  bool WorkSome() ABSL_LOCKS_EXCLUDED(mutex_, structure_mutex_);
  // Each returns false when there was nothing of its kind to do.
  absl::StatusOr<bool> Rebuild() ABSL_LOCKS_EXCLUDED(mutex_, structure_mutex_);
  absl::StatusOr<bool> AssignPortion() ABSL_LOCKS_EXCLUDED(mutex_, structure_mutex_);
  absl::StatusOr<bool> RewriteList() ABSL_LOCKS_EXCLUDED(mutex_, structure_mutex_);
  void AppendPortion(const IvfRoster::Portion& portion, AssignedRows assigned)
      ABSL_LOCKS_EXCLUDED(mutex_, structure_mutex_);

  const VectorConfig config_;
  const VectorDistance distance_;
  const IvfSearcher searcher_;

  // Whoever changes the table holds it from reading the old one to publishing the new one. Taken
  // before mutex_.
  TracedMutex structure_mutex_;

  // The changes of rows_, the eras and the roster are guarded; reading rows_ is thread-safe.
  mutable TracedMutex mutex_;
  mutable TracedCondition worked_;
  RowStore rows_;
  EraChain eras_ ABSL_GUARDED_BY(mutex_);
  IvfRoster roster_ ABSL_GUARDED_BY(mutex_);

  const IvfBuilder builder_;
  SharedLoop loop_;

  // Last: its threads end before anything that they use.
  mutable BackgroundWorkers workers_;
};

}  // namespace vettore
