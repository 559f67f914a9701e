// The working memory of one graph search or insertion, reused from call to call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "index/linear_pool.h"
#include "index/row_store.h"
#include "index/traced_mutex.h"

namespace vettore {

// A set of rows whose emptying costs what was inserted. One bit a row stays in the cache where a
// counter a row does not. Externally synchronised.
class RowSet {
 public:
  // Empties the set; it takes rows below `end` from now on.
  void Reset(Row end) {
    for (const uint32_t word : touched_) words_[word] = 0;
    touched_.clear();
    if (words_.size() * 64 < end) words_.resize((size_t{end} + 63) / 64);
    end_ = end;
  }

  // Whether the row is new to the set; a row at or past the end never is.
  bool Insert(Row row) {
    if (row >= end_) return false;
    uint64_t& word = words_[row / 64];
    const uint64_t bit = uint64_t{1} << (row % 64);
    if ((word & bit) != 0) return false;
    if (word == 0) touched_.push_back(row / 64);
    word |= bit;
    return true;
  }

  bool Contains(Row row) const { return row < end_ && (words_[row / 64] >> (row % 64) & 1) != 0; }

 private:
  Row end_ = 0;
  std::vector<uint64_t> words_;
  std::vector<uint32_t> touched_;
};

// Externally synchronised.
struct SearchScratch {
  RowSet visited;
  LinearPool pool;                  // Of the last search, nearest first.
  std::vector<Candidate> frontier;  // Of a filtered search: a heap.
  std::vector<Candidate> fresh;     // The neighbours of one node that were not visited before.
  std::vector<Row> tail;            // Rows that the graph has not taken.
  RowSet in_tail;
  size_t distances = 0;
  size_t hops = 0;
};

// Thread-safe.
class ScratchPool {
 public:
  // Holds a scratch and gives it back.
  class Lease {
   public:
    explicit Lease(ScratchPool& pool) : pool_(pool), scratch_(pool.Take()) {}
    ~Lease() { pool_.Give(std::move(scratch_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    SearchScratch& operator*() { return *scratch_; }

   private:
    ScratchPool& pool_;
    std::unique_ptr<SearchScratch> scratch_;
  };

 private:
  std::unique_ptr<SearchScratch> Take() ABSL_LOCKS_EXCLUDED(mutex_) {
    TracedLock lock(mutex_);
    if (idle_.empty()) return std::make_unique<SearchScratch>();
    std::unique_ptr<SearchScratch> scratch = std::move(idle_.back());
    idle_.pop_back();
    return scratch;
  }
  void Give(std::unique_ptr<SearchScratch> scratch) ABSL_LOCKS_EXCLUDED(mutex_) {
    TracedLock lock(mutex_);
    idle_.push_back(std::move(scratch));
  }

  TracedMutex mutex_;
  std::vector<std::unique_ptr<SearchScratch>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace vettore
