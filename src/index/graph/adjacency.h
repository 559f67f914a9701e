// The links of an HNSW graph: flat arrays of neighbours by row and level.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "base/checksummed_file.h"
#include "index/index_report.h"
#include "index/linear_pool.h"
#include "index/rows/chunked_array.h"
#include "index/rows/row_store.h"
#include "index/traced_mutex.h"

namespace vettore {

// Levels of 0 to 15: with m = 4, the smallest, 4^15 nodes fit before the top level is crowded.
inline constexpr int kMaxLevel = 15;

// Readers take no lock: each link is one atomic word. Who reads while a list is rewritten sees some
// old and some new links, and all of them are rows of the graph. Writers of a list hold the row's
// lock. Thread-safe.
class Adjacency {
 public:
  struct EntryPoint {
    Row row = kNoRow;
    int level = 0;
  };

  // A row has up to 2 m links on level 0 and up to m above.
  explicit Adjacency(size_t m) : m_(m), base_(2 * m), heads_(1), upper_(m) {}

  size_t Capacity(int level) const { return level == 0 ? 2 * m_ : m_; }

  // Makes room for a row that is new to the graph, or was removed, with empty lists on levels 0 to
  // `level`. ResourceExhausted when there is no memory.
  absl::Status Add(Row row, int level) ABSL_LOCKS_EXCLUDED(grow_mutex_);
  // So many rows left the graph: nothing links to them any more.
  void NoteRemoved(size_t rows) { rows_.fetch_sub(rows, std::memory_order_relaxed); }

  // Where searches begin; nothing while the graph is empty.
  std::optional<EntryPoint> entry() const;
  void set_entry(EntryPoint entry);

  // Calls visit(neighbour) for each link of a row that has this level.
  template <typename Visit>
  void ForEach(Row row, int level, Visit visit) const {
    uint32_t* const links = Links(row, level);
    const size_t capacity = Capacity(level);
    for (size_t i = 0; i < capacity; ++i) {
      const uint32_t link = std::atomic_ref(links[i]).load(std::memory_order_acquire);
      if (link == 0) return;
      visit(static_cast<Row>(link - 1));
    }
  }
  void Prefetch(Row row, int level) const {
    const uint32_t* const links = Links(row, level);
    constexpr size_t kLinksPerLine = 16;
    for (size_t i = 0; i < Capacity(level); i += kLinksPerLine) __builtin_prefetch(links + i);
  }

  // Appends a link; false when the list is full. The caller holds the row's lock, or the row is not
  // linked to yet.
  bool Append(Row row, int level, Row neighbor);
  // Puts a link in the place of the last one of a full list. The caller as above.
  void ReplaceLast(Row row, int level, Row neighbor);
  // Rewrites the list. neighbors: up to Capacity(level). The caller as above.
  void Replace(Row row, int level, std::span<const Candidate> neighbors);
  void Replace(Row row, int level, std::span<const Row> neighbors);

  // A spin lock a row, held for the rewriting of one list.
  void Lock(Row row);
  void Unlock(Row row);

  // What Save() writes: so many rows of each array.
  struct Extent {
    uint64_t rows = 0;
    uint64_t upper_rows = 0;
  };
  Extent extent() const ABSL_LOCKS_EXCLUDED(grow_mutex_);
  // While nobody adds or links.
  absl::Status Save(const Extent& extent, ChecksummedWriter& out) const;
  // Into an empty graph, which is not one before CheckLoaded(). DataLoss, ResourceExhausted.
  absl::Status Load(const Extent& extent, ChecksummedReader& in) ABSL_LOCKS_EXCLUDED(grow_mutex_);
  // Whether what was loaded can be searched. levels: by row, kNotInGraph of rows that were not
  // added. DataLoss: a row lacks lists, or a link leads out of the graph.
  static constexpr uint8_t kNotInGraph = 0xFF;
  absl::Status CheckLoaded(std::span<const uint8_t> levels) ABSL_LOCKS_EXCLUDED(grow_mutex_);
  // Names all that is wrong with the lists, of a graph that was loaded or of one that nobody
  // changes. levels: as above. Returns up to which level each row has lists that can be followed,
  // kNotInGraph where it has none.
  std::vector<uint8_t> Inspect(std::span<const uint8_t> levels, IndexReport& report) const
      ABSL_LOCKS_EXCLUDED(grow_mutex_);

  // What a row's links take, on average.
  static size_t RowBytes(size_t m);

  // In the graph.
  size_t rows() const { return rows_.load(std::memory_order_relaxed); }
  size_t memory_bytes() const ABSL_LOCKS_EXCLUDED(grow_mutex_);

 private:
  // Of a row: where its upper lists begin, how many they are, and its lock.
  struct Head {
    uint32_t upper;
    uint16_t levels;
    uint16_t lock;
  };

  template <typename RowOf>
  void Rewrite(Row row, int level, size_t count, RowOf row_of);

  uint32_t* Links(Row row, int level) const {
    if (level == 0) return base_.row(row);
    return upper_.row(size_t{heads_.row(row)->upper} + static_cast<size_t>(level) - 1);
  }

  const size_t m_;
  // A link is the neighbour's row plus one; 0 ends a list.
  ChunkedArray<uint32_t> base_;
  ChunkedArray<Head> heads_;
  ChunkedArray<uint32_t> upper_;
  std::atomic<uint64_t> entry_ = 0;  // Level plus one, then row; 0: none.

  absl::Status CheckLinks(Row row, std::span<const uint8_t> levels) const;
  struct ListName {
    Row row;
    int level;
  };
  // Returns how many links the list has.
  size_t InspectList(const ListName& name, std::span<const uint8_t> levels,
                     IndexReport& report) const;

  mutable TracedMutex grow_mutex_;
  uint32_t upper_used_ ABSL_GUARDED_BY(grow_mutex_) = 0;
  Row end_ ABSL_GUARDED_BY(grow_mutex_) = 0;  // Rows that were ever added are below it.
  std::atomic<size_t> rows_ = 0;
};

}  // namespace vettore
