// Growth and rewriting of adjacency lists.
#include "index/graph/adjacency.h"

#include <sched.h>

#include <algorithm>
#include <type_traits>

#include "base/status.h"
#include "base/strings.h"

namespace vettore {

absl::Status Adjacency::Add(Row row, int level) {
  TracedLock lock(grow_mutex_);
  VETTORE_RETURN_IF_ERROR(base_.Grow(size_t{row} + 1));
  VETTORE_RETURN_IF_ERROR(heads_.Grow(size_t{row} + 1));
  Head& head = *heads_.row(row);
  if (head.levels < level) {
    const size_t used = size_t{upper_used_} + static_cast<size_t>(level);
    VETTORE_RETURN_IF_ERROR(upper_.Grow(used));
    head.upper = upper_used_;
    head.levels = static_cast<uint16_t>(level);
    upper_used_ = static_cast<uint32_t>(used);
  }
  for (int at = 0; at <= level; ++at) Rewrite(row, at, 0, [](size_t) { return kNoRow; });
  end_ = std::max(end_, row + 1);
  rows_.fetch_add(1, std::memory_order_relaxed);
  return absl::OkStatus();
}

std::optional<Adjacency::EntryPoint> Adjacency::entry() const {
  const uint64_t entry = entry_.load(std::memory_order_acquire);
  if (entry == 0) return std::nullopt;
  return EntryPoint{static_cast<Row>(entry), static_cast<int>(entry >> 32) - 1};
}

void Adjacency::set_entry(EntryPoint entry) {
  entry_.store(static_cast<uint64_t>(entry.level + 1) << 32 | entry.row, std::memory_order_release);
}

bool Adjacency::Append(Row row, int level, Row neighbor) {
  uint32_t* const links = Links(row, level);
  for (size_t i = 0; i < Capacity(level); ++i) {
    std::atomic_ref link(links[i]);
    if (link.load(std::memory_order_relaxed) == 0) {
      link.store(neighbor + 1, std::memory_order_release);
      return true;
    }
  }
  return false;
}

void Adjacency::ReplaceLast(Row row, int level, Row neighbor) {
  uint32_t* const links = Links(row, level);
  std::atomic_ref(links[Capacity(level) - 1]).store(neighbor + 1, std::memory_order_release);
}

template <typename RowOf>
void Adjacency::Rewrite(Row row, int level, size_t count, RowOf row_of) {
  uint32_t* const links = Links(row, level);
  for (size_t i = 0; i < Capacity(level); ++i) {
    const uint32_t link = i < count ? row_of(i) + 1 : 0;
    std::atomic_ref(links[i]).store(link, std::memory_order_release);
  }
}

void Adjacency::Replace(Row row, int level, std::span<const Candidate> neighbors) {
  Rewrite(row, level, neighbors.size(), [&](size_t i) { return neighbors[i].row; });
}

void Adjacency::Replace(Row row, int level, std::span<const Row> neighbors) {
  Rewrite(row, level, neighbors.size(), [&](size_t i) { return neighbors[i]; });
}

void Adjacency::Lock(Row row) {
  std::atomic_ref lock(heads_.row(row)->lock);
  while (lock.exchange(1, std::memory_order_acquire) != 0) {
    // The holder rewrites one list, which takes microseconds, unless it lost its core: then giving
    // ours away helps.
    for (int spins = 0; lock.load(std::memory_order_relaxed) != 0; ++spins) {
      if (spins > 1000) sched_yield();
    }
  }
}

void Adjacency::Unlock(Row row) {
  std::atomic_ref(heads_.row(row)->lock).store(0, std::memory_order_release);
}

Adjacency::Extent Adjacency::extent() const {
  TracedLock lock(grow_mutex_);
  return {.rows = end_, .upper_rows = upper_used_};
}

absl::Status Adjacency::Save(const Extent& extent, ChecksummedWriter& out) const {
  const auto write = [&](auto piece) {
    return out.WriteAll<std::remove_cvref_t<decltype(piece[0])>>(piece);
  };
  VETTORE_RETURN_IF_ERROR(base_.ForEachPiece(extent.rows, write));
  VETTORE_RETURN_IF_ERROR(heads_.ForEachPiece(extent.rows, write));
  return upper_.ForEachPiece(extent.upper_rows, write);
}

absl::Status Adjacency::Load(const Extent& extent, ChecksummedReader& in) {
  const auto read = [&](auto piece) { return in.ReadAll(piece); };
  VETTORE_RETURN_IF_ERROR(base_.Grow(extent.rows));
  VETTORE_RETURN_IF_ERROR(base_.ForEachPiece(extent.rows, read));
  VETTORE_RETURN_IF_ERROR(heads_.Grow(extent.rows));
  VETTORE_RETURN_IF_ERROR(heads_.ForEachPiece(extent.rows, read));
  VETTORE_RETURN_IF_ERROR(upper_.Grow(extent.upper_rows));
  VETTORE_RETURN_IF_ERROR(upper_.ForEachPiece(extent.upper_rows, read));
  TracedLock lock(grow_mutex_);
  upper_used_ = static_cast<uint32_t>(extent.upper_rows);
  end_ = static_cast<Row>(extent.rows);
  return absl::OkStatus();
}

absl::Status Adjacency::CheckLoaded(std::span<const uint8_t> levels) {
  const Extent loaded = extent();
  VETTORE_CHECK(levels.size() == loaded.rows);
  size_t rows = 0;
  for (Row row = 0; row < loaded.rows; ++row) {
    const Head& head = *heads_.row(row);
    if (head.lock != 0 || head.upper + uint64_t{head.levels} > loaded.upper_rows) {
      return absl::DataLossError(StrCat("row ", row, " has no place in the graph"));
    }
    if (levels[row] == kNotInGraph) continue;
    if (levels[row] > head.levels) {
      return absl::DataLossError(StrCat("row ", row, " lacks lists of its upper levels"));
    }
    VETTORE_RETURN_IF_ERROR(CheckLinks(row, levels));
    ++rows;
  }
  rows_.store(rows, std::memory_order_relaxed);
  return absl::OkStatus();
}

absl::Status Adjacency::CheckLinks(Row row, std::span<const uint8_t> levels) const {
  bool is_sound = true;
  for (int level = 0; level <= levels[row]; ++level) {
    ForEach(row, level, [&](Row neighbor) {
      is_sound = is_sound && neighbor < levels.size() && levels[neighbor] != kNotInGraph &&
                 levels[neighbor] >= level;
    });
  }
  if (is_sound) return absl::OkStatus();
  return absl::DataLossError(StrCat("row ", row, " has a link that leads out of the graph"));
}

size_t Adjacency::RowBytes(size_t m) {
  // One row in m has a level above, of m links.
  return 2 * m * sizeof(uint32_t) + sizeof(Head) + sizeof(uint32_t);
}

size_t Adjacency::memory_bytes() const {
  const size_t row_bytes = 2 * m_ * sizeof(uint32_t) + sizeof(Head);
  const Extent used = extent();
  return used.rows * row_bytes + used.upper_rows * m_ * sizeof(uint32_t);
}

}  // namespace vettore
