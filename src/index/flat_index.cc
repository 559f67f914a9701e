// Exact search over all vectors.
#include "index/flat_index.h"

#include <utility>

#include "base/status.h"
#include "index/exact_batch_scan.h"
#include "index/exact_scan.h"
#include "index/settle.h"
#include "index/top_k.h"

namespace vettore {

FlatIndex::FlatIndex(const VectorConfig& config, std::unique_ptr<VectorFile> file)
    : distance_(config.metric, config.dimension),
      rows_(config.dimension, std::move(file)),
      eras_(rows_) {}

absl::Status FlatIndex::Put(Slot slot, std::span<const float> vector) {
  VETTORE_RETURN_IF_ERROR(CheckDimension(vector, distance_.dim()));
  TracedLock lock(mutex_);
  VETTORE_ASSIGN_OR_RETURN(const RowStore::Placed placed, rows_.Put(slot, vector));
  if (placed.replaced != kNoRow) eras_.Retire(placed.replaced);
  ++taken_;
  return absl::OkStatus();
}

void FlatIndex::Remove(Slot slot) {
  TracedLock lock(mutex_);
  const Row row = rows_.Remove(slot);
  if (row != kNoRow) eras_.Retire(row);
}

absl::StatusOr<std::vector<Neighbor>> FlatIndex::Search(std::span<const float> query,
                                                        const IndexSearchOptions& options,
                                                        const CancelToken& cancel,
                                                        IndexSearchTrace* trace) const {
  VETTORE_RETURN_IF_ERROR(CheckDimension(query, distance_.dim()));
  VETTORE_RETURN_IF_ERROR(cancel.Poll());
  if (trace != nullptr) *trace = {.plan = "exact scan"};
  return FindSettled(options.k, [&](size_t wanted) -> absl::StatusOr<Settled> {
    std::shared_ptr<const Era> era;
    uint64_t version = 0;
    {
      TracedLock lock(mutex_);
      era = eras_.current();
      version = rows_.version();
    }
    TopK top(wanted);
    ExactScan scan({rows_, distance_, query.data(), version}, top);
    if (options.allowed != nullptr) {
      VETTORE_RETURN_IF_ERROR(scan.Slots(*options.allowed, cancel));
    } else {
      VETTORE_RETURN_IF_ERROR(scan.All(rows_.end(), cancel));
    }
    if (trace != nullptr) trace->distances += scan.distances();
    return Settle(rows_, distance_, query.data(), top.TakeSorted());
  });
}

absl::StatusOr<std::vector<std::vector<Neighbor>>> FlatIndex::SearchBatch(
    std::span<const std::span<const float>> queries, const IndexSearchOptions& options,
    const CancelToken& cancel, std::span<IndexSearchTrace> traces) const {
  for (const std::span<const float> query : queries) {
    VETTORE_RETURN_IF_ERROR(CheckDimension(query, distance_.dim()));
  }
  if (options.k == 0 || queries.size() < 2) {
    return VectorIndex::SearchBatch(queries, options, cancel, traces);
  }
  std::shared_ptr<const Era> era;
  uint64_t version = 0;
  {
    TracedLock lock(mutex_);
    era = eras_.current();
    version = rows_.version();
  }
  ExactBatchScan scan({rows_, distance_, queries, version}, options.k);
  VETTORE_RETURN_IF_ERROR(scan.Run(rows_.end(), options.allowed, cancel));
  std::vector<std::vector<Neighbor>> found(queries.size());
  for (size_t i = 0; i < queries.size(); ++i) {
    Settled settled = Settle(rows_, distance_, queries[i].data(), scan.TakeSorted(i));
    if (!traces.empty()) traces[i] = {.plan = "exact scan", .distances = scan.distances()};
    found[i] = std::move(settled.neighbors);
    if (settled.lost == 0 || found[i].size() >= options.k) continue;
    // Others stand in for what was removed meanwhile.
    VETTORE_ASSIGN_OR_RETURN(
        found[i], Search(queries[i], options, cancel, traces.empty() ? nullptr : &traces[i]));
  }
  return found;
}

SlotBitmap FlatIndex::Slots() const {
  TracedLock lock(mutex_);
  return rows_.Slots();
}

IndexStats FlatIndex::Stats() const {
  TracedLock lock(mutex_);
  return {.live = rows_.live(),
          .unindexed = 0,
          .taken = taken_,
          .tombstones = rows_.end() - rows_.live() - rows_.released(),
          .memory_bytes = rows_.memory_bytes()};
}

absl::StatusOr<IndexReport> FlatIndex::Inspect() {
  TracedLock lock(mutex_);
  IndexReport report;
  RowStore::InspectStamps(rows_.Stamps(), report);
  return report;
}

absl::Status FlatIndex::WaitUntilIndexed(const CancelToken& /*cancel*/) const {
  return absl::OkStatus();
}

}  // namespace vettore
