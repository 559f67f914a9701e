// An index of the FAISS library over the living vectors, built in the background, and an exactly
// scanned tail of what it lacks.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "index/background_workers.h"
#include "index/faiss/faiss_roster.h"
#include "index/faiss/foreign_index.h"
#include "index/rows/era_chain.h"
#include "index/rows/row_store.h"
#include "index/rows/vector_file.h"
#include "index/top_k.h"
#include "index/traced_mutex.h"
#include "index/vector_distance.h"
#include "index/vector_index.h"

namespace vettore {

// What the library holds is immutable: it is trained and filled with the vectors that are there,
// and replaced as a whole when a quarter of them is new or gone. Its searches find candidates; they
// are measured again with the vectors themselves. A put never waits for the library, and neither
// does a search; what a search asks of the library cannot be cancelled, only what comes before and
// after. Thread-safe.
class FaissIndex : public VectorIndex {
 public:
  FaissIndex(const VectorConfig& config, const FaissConfig& faiss, const IndexRunOptions& run,
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
  absl::StatusOr<std::unique_ptr<IndexCheckpoint>> BeginCheckpoint() override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<IndexReport> Inspect() override ABSL_LOCKS_EXCLUDED(mutex_);
  // As those of HnswIndex.
  absl::Status Restore(ChecksummedReader& in) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<IndexReport> InspectCheckpoint(const SlotBitmap& changed, ChecksummedReader& in)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Has the tail built, however short it is. The build's own status when the library could not do
  // it: the vectors are scanned.
  absl::Status WaitUntilIndexed(const CancelToken& cancel) const override
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class Checkpoint;
  struct State;
  absl::StatusOr<State> ReadState(ChecksummedReader& in) const;
  // What one search asks.
  struct Request {
    std::span<const float> query;
    const IndexSearchOptions& options;
    size_t k;              // Of the options, or more in place of hits that were removed meanwhile.
    size_t allowed_count;  // Of options.allowed, when that is not null.
    const CancelToken& cancel;
  };
  // The state that one search sees.
  struct Snapshot {
    std::shared_ptr<const Era> era;
    std::shared_ptr<const FaissBuild> build;  // Null: it prefers to scan.
    uint64_t version = 0;
    size_t live = 0;
    size_t dead_built = 0;
    std::vector<Row> tail;
  };

  Snapshot TakeSnapshot(const Request& request) const ABSL_LOCKS_EXCLUDED(mutex_);
  bool PrefersScan(const Request& request, size_t built_alive, size_t live) const;
  absl::StatusOr<std::vector<Hit>> SearchSnapshot(const Request& request, const Snapshot& snapshot,
                                                  IndexSearchTrace& trace) const;
  absl::StatusOr<std::vector<Hit>> SearchExactly(const Request& request, const Snapshot& snapshot,
                                                 IndexSearchTrace& trace) const;
  // The nearest of build and tail; too few when the library finds no more.
  absl::StatusOr<std::vector<Hit>> SearchBuild(const Request& request, const Snapshot& snapshot,
                                               IndexSearchTrace& trace) const;
  // How many candidates the library is asked for.
  size_t CandidatesFor(const Request& request, const Snapshot& snapshot) const;

  // Builds when that is due; false when it is not.
  bool BuildWhenDue() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::shared_ptr<const FaissBuild>> Build(std::span<const Row> rows) const;
  bool FitsLibrary(const float* vector) const;

  const VectorConfig config_;
  const FaissConfig faiss_;
  const VectorDistance distance_;
  const VectorDistance inner_product_;
  const size_t rerank_;  // Resolved.
  const int build_threads_;

  // The changes of rows_, the eras and the roster are guarded; reading rows_ is thread-safe.
  mutable TracedMutex mutex_;
  mutable TracedCondition built_;
  RowStore rows_;
  EraChain eras_ ABSL_GUARDED_BY(mutex_);
  mutable FaissRoster roster_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);  // Of the last build that was given up.

  // Last: its thread ends before anything that it uses.
  mutable BackgroundWorkers workers_;
};

}  // namespace vettore
