// Vectors by row: placing, killing and reusing.
#include "index/rows/row_store.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

constexpr size_t kFloatsPerLine = 16;

size_t PaddedWidth(size_t dim) {
  return (dim + kFloatsPerLine - 1) / kFloatsPerLine * kFloatsPerLine;
}

uint32_t HashOf(std::span<const float> vector) {
  return static_cast<uint32_t>(
      Hash64({reinterpret_cast<const char*>(vector.data()), vector.size_bytes()}));
}

std::unique_ptr<ChunkSource> ChunksOf(std::unique_ptr<VectorFile> file) {
  if (file == nullptr) return std::make_unique<AnonymousChunks>();
  return file;
}

}  // namespace

RowStore::RowStore(size_t dim, std::unique_ptr<VectorFile> file)
    : dim_(dim),
      file_(file.get()),
      vectors_(PaddedWidth(dim), ChunksOf(std::move(file))),
      slots_(1),
      lives_(2),
      row_of_slot_(1),
      hashes_(1) {}

Row RowStore::RowOf(Slot slot) const {
  if (slot >= row_of_slot_.capacity()) return kNoRow;
  return RowOfSlot(slot).load(std::memory_order_acquire) - 1;  // 0 - 1 is kNoRow.
}

SlotBitmap RowStore::Slots() const {
  SlotBitmap slots;
  for (Row row = 0; row < end(); ++row) {
    if (IsAlive(row)) slots.Insert(slot(row));
  }
  return slots;
}

absl::StatusOr<RowStore::Placed> RowStore::Put(Slot slot, std::span<const float> vector) {
  VETTORE_CHECK(slot != kNoSlot);
  VETTORE_RETURN_IF_ERROR(row_of_slot_.Grow(size_t{slot} + 1));
  VETTORE_ASSIGN_OR_RETURN(const Row row, TakeFreeRow());

  if (absl::Status written = WriteVector(row, vector); !written.ok()) {
    Release({&row, 1});
    return written;
  }

  const uint64_t version = this->version() + 1;
  *slots_.row(row) = slot;
  uint64_t* const life = lives_.row(row);
  life[kBornAt] = version;
  std::atomic_ref(life[kDiedAt]).store(kNever, std::memory_order_release);

  // Before the slot points to the row: see HasChangedSince().
  version_.store(version, std::memory_order_release);
  // The slot points to its new row before the old one dies: whoever meets the dead row finds the
  // living one.
  const Row replaced = RowOf(slot);
  RowOfSlot(slot).store(row + 1, std::memory_order_release);
  if (replaced == kNoRow) {
    ++live_;
  } else {
    Kill(replaced, version);
  }
  return Placed{row, replaced};
}

absl::Status RowStore::WriteVector(Row row, std::span<const float> vector) {
  if (file_ == nullptr) {
    std::copy(vector.begin(), vector.end(), vectors_.row(row));
    return absl::OkStatus();
  }
  *hashes_.row(row) = HashOf(vector);
  return file_->Write(row * VectorBytes(), vector);
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
  VETTORE_RETURN_IF_ERROR(Grow(size_t{row} + 1));
  end_.store(row + 1, std::memory_order_release);
  return row;
}

absl::Status RowStore::Grow(size_t rows) {
  VETTORE_RETURN_IF_ERROR(vectors_.Grow(rows));
  VETTORE_RETURN_IF_ERROR(slots_.Grow(rows));
  VETTORE_RETURN_IF_ERROR(lives_.Grow(rows));
  return file_ == nullptr ? absl::OkStatus() : hashes_.Grow(rows);
}

std::vector<RowStore::Stamp> RowStore::Stamps() const {
  std::vector<Stamp> stamps(end());
  for (Row row = 0; row < stamps.size(); ++row) {
    if (IsAlive(row)) stamps[row] = {slot(row), file_ == nullptr ? 0 : *hashes_.row(row)};
  }
  return stamps;
}

absl::Status RowStore::Restore(std::span<const Stamp> stamps) {
  if (stamps.size() > kMostRows) return absl::DataLossError("more rows than a store holds");
  VETTORE_RETURN_IF_ERROR(Grow(stamps.size()));
  version_ = 1;
  for (Row row = 0; row < stamps.size(); ++row) {
    const Stamp& stamp = stamps[row];
    if (!stamp.is_alive() || HashOf({vector(row), dim_}) != stamp.vector_hash) continue;
    if (RowOf(stamp.slot) != kNoRow) {
      return absl::DataLossError(StrCat("slot ", stamp.slot, " has two rows"));
    }
    VETTORE_RETURN_IF_ERROR(row_of_slot_.Grow(size_t{stamp.slot} + 1));
    RowOfSlot(stamp.slot).store(row + 1, std::memory_order_release);
    *slots_.row(row) = stamp.slot;
    *hashes_.row(row) = stamp.vector_hash;
    lives_.row(row)[kBornAt] = version_;
    lives_.row(row)[kDiedAt] = kNever;
    ++live_;
  }
  end_.store(static_cast<Row>(stamps.size()), std::memory_order_release);
  return absl::OkStatus();
}

void RowStore::InspectStamps(std::span<const Stamp> stamps, IndexReport& report) {
  std::vector<Slot> slots;
  for (const Stamp& stamp : stamps) {
    if (stamp.is_alive()) slots.push_back(stamp.slot);
  }
  report.Add("rows", stamps.size());
  report.Add("live", slots.size());
  std::sort(slots.begin(), slots.end());
  for (size_t i = 1; i < slots.size(); ++i) {
    if (slots[i] != slots[i - 1]) continue;
    report.AddFinding(faults::kSlotTwice, [&] { return StrCat("slot ", slots[i]); });
  }
}

absl::Status RowStore::InspectVectors(std::span<const Stamp> stamps, const SlotBitmap& changed,
                                      IndexReport& report) {
  InspectStamps(stamps, report);
  VETTORE_RETURN_IF_ERROR(Grow(stamps.size()));
  size_t replaced = 0;
  for (Row row = 0; row < stamps.size(); ++row) {
    const Stamp& stamp = stamps[row];
    if (!stamp.is_alive() || HashOf({vector(row), dim_}) == stamp.vector_hash) continue;
    if (changed.Contains(stamp.slot)) {
      ++replaced;
    } else {
      report.AddFinding(faults::kVectorDamaged,
                        [&] { return StrCat("slot ", stamp.slot, ", row ", row); });
    }
  }
  report.Add("replaced_since", replaced);
  return absl::OkStatus();
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
  const size_t vector_bytes = is_mapped() ? file_->lacking_bytes() : end() * VectorBytes();
  // A slot map is dense, and about as long as the rows are.
  const size_t hash_bytes = file_ == nullptr ? 0 : sizeof(uint32_t);
  return vector_bytes +
         end() * (sizeof(Slot) + 2 * sizeof(uint64_t) + sizeof(uint32_t) + hash_bytes);
}

size_t RowStore::mapped_bytes() const { return is_mapped() ? end() * VectorBytes() : 0; }

}  // namespace vettore
