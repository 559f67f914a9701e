// Vectors by row: placing, killing and reusing.
#include "index/row_store.h"

#include <algorithm>

#include "base/status.h"

namespace vettore {
namespace {

constexpr size_t kFloatsPerLine = 16;

size_t PaddedWidth(size_t dim) {
  return (dim + kFloatsPerLine - 1) / kFloatsPerLine * kFloatsPerLine;
}

}  // namespace

RowStore::RowStore(size_t dim)
    : vectors_(PaddedWidth(dim)), slots_(1), lives_(2), row_of_slot_(1) {}

Row RowStore::RowOf(Slot slot) const {
  if (slot >= row_of_slot_.capacity()) return kNoRow;
  return RowOfSlot(slot).load(std::memory_order_acquire) - 1;  // 0 - 1 is kNoRow.
}

absl::StatusOr<RowStore::Placed> RowStore::Put(Slot slot, std::span<const float> vector) {
  VETTORE_CHECK(slot != kNoSlot);
  VETTORE_RETURN_IF_ERROR(row_of_slot_.Grow(size_t{slot} + 1));
  VETTORE_ASSIGN_OR_RETURN(const Row row, TakeFreeRow());

  const uint64_t version = version_ + 1;
  std::copy(vector.begin(), vector.end(), vectors_.row(row));
  *slots_.row(row) = slot;
  uint64_t* const life = lives_.row(row);
  life[kBornAt] = version;
  std::atomic_ref(life[kDiedAt]).store(kNever, std::memory_order_release);

  // The slot points to its new row before the old one dies: whoever meets the dead row finds the
  // living one.
  const Row replaced = RowOf(slot);
  RowOfSlot(slot).store(row + 1, std::memory_order_release);
  if (replaced == kNoRow) {
    ++live_;
  } else {
    Kill(replaced, version);
  }
  version_ = version;
  return Placed{row, replaced};
}

Row RowStore::Remove(Slot slot) {
  const Row row = RowOf(slot);
  if (row == kNoRow) return kNoRow;
  RowOfSlot(slot).store(0, std::memory_order_release);
  Kill(row, ++version_);
  --live_;
  return row;
}

void RowStore::Kill(Row row, uint64_t version) {
  std::atomic_ref(lives_.row(row)[kDiedAt]).store(version, std::memory_order_release);
}

absl::StatusOr<Row> RowStore::TakeFreeRow() {
  {
    TracedLock lock(free_mutex_);
    if (!free_.empty()) {
      const Row row = free_.back();
      free_.pop_back();
      return row;
    }
  }
  const Row row = end_.load(std::memory_order_relaxed);
  if (row == kMostRows) {
    return absl::ResourceExhaustedError(
        "vector index: it holds 2,147,483,648 rows and no more fit");
  }
  VETTORE_RETURN_IF_ERROR(vectors_.Grow(size_t{row} + 1));
  VETTORE_RETURN_IF_ERROR(slots_.Grow(size_t{row} + 1));
  VETTORE_RETURN_IF_ERROR(lives_.Grow(size_t{row} + 1));
  end_.store(row + 1, std::memory_order_release);
  return row;
}

void RowStore::Release(std::span<const Row> rows) {
  TracedLock lock(free_mutex_);
  free_.insert(free_.end(), rows.begin(), rows.end());
}

size_t RowStore::released() const {
  TracedLock lock(free_mutex_);
  return free_.size();
}

size_t RowStore::memory_bytes() const {
  const size_t row_bytes = vectors_.width() * sizeof(float) + sizeof(Slot) + 2 * sizeof(uint64_t);
  // A slot map is dense, and about as long as the rows are.
  return end() * (row_bytes + sizeof(uint32_t));
}

}  // namespace vettore
