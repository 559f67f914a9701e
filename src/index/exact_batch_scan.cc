#include "index/exact_batch_scan.h"

#include <algorithm>

#include "base/status.h"

namespace vettore {
namespace {

// A block of vectors stays in the second level of the cache while the queries take their turns.
constexpr size_t kBlockBytes = size_t{256} << 10;
constexpr size_t kMostBlockRows = 512;

}  // namespace

ExactBatchScan::ExactBatchScan(const BatchScanSource& source, size_t k)
    : source_(source),
      tops_(source.queries.size(), TopK(k)),
      block_rows_(std::clamp<size_t>(kBlockBytes / (source.distance.dim() * sizeof(float)), 4,
                                     kMostBlockRows)) {
  const size_t count = source.queries.size();
  for (size_t first = 0; first < count; first += 4) {
    Group group{.queries = {}, .first = first, .count = std::min<size_t>(4, count - first)};
    for (size_t i = 0; i < 4; ++i) {
      group.queries[i] = source.queries[std::min(first + i, count - 1)].data();
    }
    groups_.push_back(group);
  }
  block_.reserve(block_rows_);
}

absl::Status ExactBatchScan::Run(Row end, const SlotBitmap* allowed, const CancelToken& cancel) {
  VETTORE_RETURN_IF_ERROR(cancel.Poll());
  if (allowed == nullptr) {
    for (Row row = 0; row < end; ++row) {
      if (!source_.rows.IsVisibleAt(row, source_.version)) continue;
      VETTORE_RETURN_IF_ERROR(Offer(row, cancel));
    }
  } else {
    absl::Status status;
    allowed->ForEach([&](Slot slot) {
      // A row that is younger than this search's version stands for the one that it replaced since.
      const Row row = source_.rows.RowOf(slot);
      if (row != kNoRow) status = Offer(row, cancel);
      return status.ok();
    });
    VETTORE_RETURN_IF_ERROR(status);
  }
  return MeasureBlock(cancel);
}

absl::Status ExactBatchScan::Offer(Row row, const CancelToken& cancel) {
  block_.push_back(row);
  return block_.size() < block_rows_ ? absl::OkStatus() : MeasureBlock(cancel);
}

absl::Status ExactBatchScan::MeasureBlock(const CancelToken& cancel) {
  for (const Group& group : groups_) {
    for (const Row row : block_) {
      float distances[4];
      source_.distance.To4(source_.rows.vector(row), group.queries, distances);
      for (size_t i = 0; i < group.count; ++i) {
        TopK& top = tops_[group.first + i];
        if (distances[i] <= top.threshold()) {
          top.Push({{source_.rows.slot(row), distances[i]}, row});
        }
      }
    }
  }
  distances_ += block_.size();
  block_.clear();
  return cancel.Poll();
}

}  // namespace vettore
