// Exact search over all vectors.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "index/rows/era_chain.h"
#include "index/rows/row_store.h"
#include "index/traced_mutex.h"
#include "index/vector_distance.h"
#include "index/vector_index.h"

namespace vettore {

// Thread-safe.
class FlatIndex : public VectorIndex {
 public:
  FlatIndex(const VectorConfig& config, std::unique_ptr<VectorFile> file);

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
  absl::StatusOr<std::unique_ptr<IndexCheckpoint>> BeginCheckpoint() override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<IndexReport> Inspect() override ABSL_LOCKS_EXCLUDED(mutex_);
  // As those of HnswIndex.
  absl::Status Restore(ChecksummedReader& in) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<IndexReport> InspectCheckpoint(const SlotBitmap& changed, ChecksummedReader& in)
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status WaitUntilIndexed(const CancelToken& cancel) const override;

 private:
  class Checkpoint;
  absl::StatusOr<std::vector<RowStore::Stamp>> ReadStamps(ChecksummedReader& in) const;

  const VectorDistance distance_;

  // Its changes, and the chain, are guarded; reading is thread-safe.
  mutable TracedMutex mutex_;
  RowStore rows_;
  EraChain eras_ ABSL_GUARDED_BY(mutex_);
  uint64_t taken_ ABSL_GUARDED_BY(mutex_) = 0;  // Vectors that were put here.
};

}  // namespace vettore
