// The vectors of an index by row, which row each slot holds now, and which rows a search may see.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "index/index_report.h"
#include "index/rows/chunked_array.h"
#include "index/rows/vector_file.h"
#include "index/traced_mutex.h"
#include "types/slot_bitmap.h"

namespace vettore {

// A row is one vector of one slot; it is written once and then only killed. A slot that is put
// again gets a new row, so that a search in progress never reads a vector that changes under it.
using Row = uint32_t;
inline constexpr Row kNoRow = 0xFFFFFFFF;
// Rows are below it: a bit is left to who keeps rows.
inline constexpr Row kMostRows = 0x80000000;

// Every change has a version, and a search sees the rows of one version: a slot that is replaced
// while it runs is found with its old vector instead of being missed between the two.
//
// What reads is thread-safe; what changes ("Changes") is externally synchronised among itself. A
// killed row keeps its vector until Release(), which must wait until no search can hold it (see
// EraChain).
class RowStore {
 public:
  // file: keeps the vectors; null: they are in memory only.
  explicit RowStore(size_t dim, std::unique_ptr<VectorFile> file = nullptr);

  // Rows lie on 64-byte boundaries; what pads them is zero. (dim) floats.
  const float* vector(Row row) const { return vectors_.row(row); }
  // Floats of a row with what pads it.
  size_t vector_width() const { return vectors_.width(); }
  // Asks for the vector before it is needed: its beginning, after which the hardware follows.
  void Prefetch(Row row) const {
    constexpr size_t kFloats = 128;
    constexpr size_t kFloatsPerLine = 16;
    const float* const floats = vectors_.row(row);
    for (size_t i = 0; i < std::min(vectors_.width(), kFloats); i += kFloatsPerLine) {
      __builtin_prefetch(floats + i);
    }
  }
  // The same of its slot and its life.
  void PrefetchState(Row row) const {
    __builtin_prefetch(slots_.row(row));
    __builtin_prefetch(lives_.row(row));
  }
  Slot slot(Row row) const { return *slots_.row(row); }
  // The row that `slot` holds now, or kNoRow.
  Row RowOf(Slot slot) const;
  // Whether the row was alive at that version.
  bool IsVisibleAt(Row row, uint64_t version) const {
    uint64_t* const life = lives_.row(row);
    return std::atomic_ref(life[kDiedAt]).load(std::memory_order_acquire) > version &&
           life[kBornAt] <= version;
  }
  // When not, then every row that RowOf() has given to this thread is visible at that version.
  bool HasChangedSince(uint64_t version) const {
    return version_.load(std::memory_order_acquire) != version;
  }
  bool IsAlive(Row row) const {
    return std::atomic_ref(lives_.row(row)[kDiedAt]).load(std::memory_order_acquire) == kNever;
  }
  // That hold a row. Externally synchronised with the changes.
  SlotBitmap Slots() const;
  // Rows are below it.
  Row end() const { return end_.load(std::memory_order_acquire); }

  // Changes.

  struct Placed {
    Row row = kNoRow;
    Row replaced = kNoRow;  // The row that the slot held before, now dead.
  };
  // vector: (dim). ResourceExhausted when there is no memory; nothing has changed then.
  absl::StatusOr<Placed> Put(Slot slot, std::span<const float> vector);
  // The row that died, or kNoRow.
  Row Remove(Slot slot);
  // Of the last change.
  uint64_t version() const { return version_.load(std::memory_order_relaxed); }
  size_t live() const { return live_; }

  // Makes dead rows available to Put again. Thread-safe.
  void Release(std::span<const Row> rows) ABSL_LOCKS_EXCLUDED(free_mutex_);
  size_t released() const ABSL_LOCKS_EXCLUDED(free_mutex_);

  // What a checkpoint keeps of a row.
  struct Stamp {
    Slot slot = kNoSlot;       // kNoSlot: the row is dead.
    uint32_t vector_hash = 0;  // Of a living row, of a store with a file.
    bool is_alive() const { return slot != kNoSlot; }
  };
  // Of the rows below end(). Externally synchronised with the changes.
  std::vector<Stamp> Stamps() const;
  // Fills an empty store with what it held when Stamps() was called. A row whose vector is not in
  // the file any more, as after a crash, is dead. DataLoss: the stamps cannot be a store's;
  // ResourceExhausted.
  absl::Status Restore(std::span<const Stamp> stamps);
  // Names what is wrong with stamps in themselves: slots that have two rows.
  static void InspectStamps(std::span<const Stamp> stamps, IndexReport& report);
  // In the place of Restore(): that, and which vectors the file does not hold as they were written,
  // though their slots are not in `changed`, so that nothing was put in their place.
  // ResourceExhausted.
  absl::Status InspectVectors(std::span<const Stamp> stamps, const SlotBitmap& changed,
                              IndexReport& report);
  // What the file holds survives a power cut from now on. Unavailable when it does not hold all.
  absl::Status SyncFile() const { return file_->Sync(); }
  // Unavailable when it does not hold all.
  absl::Status CheckFile() const { return file_->Check(); }
  bool has_file() const { return file_ != nullptr; }

  // In memory, and of vectors that are read in the file.
  size_t memory_bytes() const;
  size_t mapped_bytes() const;

 private:
  static constexpr size_t kBornAt = 0;
  static constexpr size_t kDiedAt = 1;
  static constexpr uint64_t kNever = ~uint64_t{0};

  bool is_mapped() const { return file_ != nullptr && file_->residence() == Residence::kMapped; }
  absl::Status Grow(size_t rows);
  absl::StatusOr<Row> TakeFreeRow() ABSL_LOCKS_EXCLUDED(free_mutex_);
  absl::Status WriteVector(Row row, std::span<const float> vector);
  size_t VectorBytes() const { return vectors_.width() * sizeof(float); }
  void Kill(Row row, uint64_t version);
  std::atomic_ref<uint32_t> RowOfSlot(Slot slot) const {
    return std::atomic_ref(*row_of_slot_.row(slot));
  }

  const size_t dim_;
  VectorFile* const file_;  // Of vectors_; null when they are in memory only.
  ChunkedArray<float> vectors_;
  ChunkedArray<Slot> slots_;
  ChunkedArray<uint64_t> lives_;        // kBornAt, kDiedAt; a row that was never put died at 0.
  ChunkedArray<uint32_t> row_of_slot_;  // The row plus one; 0 when the slot holds none.
  ChunkedArray<uint32_t> hashes_;       // Of the vectors in the file.
  std::atomic<Row> end_ = 0;

  std::atomic<uint64_t> version_ = 0;
  size_t live_ = 0;

  mutable TracedMutex free_mutex_;
  std::vector<Row> free_ ABSL_GUARDED_BY(free_mutex_);
};

}  // namespace vettore
