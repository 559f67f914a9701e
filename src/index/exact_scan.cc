// Exact scans over all rows, over a bitmap's slots, and over a list of rows.
#include "index/exact_scan.h"

#include <algorithm>

#include "base/status.h"

namespace vettore {
namespace {

// Between two looks at the cancel token: a fraction of a millisecond.
constexpr size_t kRowsPerPoll = 4096;

}  // namespace

absl::Status ExactScan::All(Row end, const CancelToken& cancel) {
  for (size_t begin = 0; begin < end; begin += kRowsPerPoll) {
    VETTORE_RETURN_IF_ERROR(cancel.Poll());
    const auto stop = static_cast<Row>(std::min<size_t>(end, begin + kRowsPerPoll));
    // Row after row: four at once would defeat the hardware's prefetching of one stream.
    for (auto row = static_cast<Row>(begin); row < stop; ++row) {
      if (!IsVisible(row)) continue;
      Push(row, source_.distance(source_.query, source_.rows.vector(row)));
      ++distances_;
    }
  }
  return absl::OkStatus();
}

absl::Status ExactScan::Slots(const SlotBitmap& allowed, const CancelToken& cancel) {
  absl::Status status = cancel.Poll();
  size_t since_poll = 0;
  if (!status.ok()) return status;
  allowed.ForEach([&](Slot slot) {
    if (++since_poll == kRowsPerPoll) {
      since_poll = 0;
      status = cancel.Poll();
      if (!status.ok()) return false;
    }
    // A row that is younger than this search's version stands for the one that it replaced since.
    const Row row = source_.rows.RowOf(slot);
    if (row != kNoRow) Offer(row);
    return true;
  });
  Flush();
  return status;
}

void ExactScan::Rows(std::span<const Row> rows) {
  for (const Row row : rows) Offer(row);
  Flush();
}

absl::Status ExactScan::Rows(std::span<const Row> rows, const SlotBitmap* allowed,
                             const CancelToken& cancel) {
  for (size_t begin = 0; begin < rows.size(); begin += kRowsPerPoll) {
    VETTORE_RETURN_IF_ERROR(cancel.Poll());
    for (const Row row : rows.subspan(begin, std::min(kRowsPerPoll, rows.size() - begin))) {
      if (!IsVisible(row)) continue;
      if (allowed == nullptr || allowed->Contains(source_.rows.slot(row))) Offer(row);
    }
  }
  Flush();
  return absl::OkStatus();
}

void ExactScan::Offer(Row row) {
  waiting_[waiting_count_++] = row;
  if (waiting_count_ < 4) return;
  const float* vectors[4];
  for (int i = 0; i < 4; ++i) vectors[i] = source_.rows.vector(waiting_[i]);
  float distances[4];
  source_.distance.To4(source_.query, vectors, distances);
  for (int i = 0; i < 4; ++i) Push(waiting_[i], distances[i]);
  distances_ += 4;
  waiting_count_ = 0;
}

void ExactScan::Flush() {
  for (size_t i = 0; i < waiting_count_; ++i) {
    Push(waiting_[i], source_.distance(source_.query, source_.rows.vector(waiting_[i])));
  }
  distances_ += waiting_count_;
  waiting_count_ = 0;
}

}  // namespace vettore
