// The working memory of one graph search or insertion, reused from call to call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "index/codes/code_store.h"
#include "index/linear_pool.h"
#include "index/rows/row_store.h"
#include "index/traced_mutex.h"

namespace vettore {

// A set of rows in the order of their insertion. A bit a row stays in the cache where a counter a
// row does not, and emptying costs what was inserted. Externally synchronised.
class RowSet {
 public:
  // Empties the set; it takes rows below `end` from now on.
  void Reset(Row end) {
    for (size_t i = 0; i < size_; ++i) words_[rows_[i] / 64] = 0;
    size_ = 0;
    if (words_.size() * 64 < end) words_.resize((size_t{end} + 63) / 64);
    end_ = end;
  }

  // Inserts up to `most` rows; the set grows when the inserter ends.
  class Inserter {
   public:
    Inserter(RowSet& set, size_t most) : set_(set), size_(set.size_), end_(set.end_) {
      if (set.rows_.size() < size_ + most) set.rows_.resize(2 * (size_ + most));
      words_ = set.words_.data();
      rows_ = set.rows_.data();
    }
    ~Inserter() { set_.size_ = size_; }
    Inserter(const Inserter&) = delete;
    Inserter& operator=(const Inserter&) = delete;

    bool Contains(Row row) const { return row < end_ && (words_[row / 64] >> (row % 64) & 1) != 0; }
    // A row at or past the end is left out. Without branches on what is in the set: nobody can
    // predict them.
    void Insert(Row row) {
      if (row >= end_) return;
      uint64_t& word = words_[row / 64];
      const uint64_t bit = uint64_t{1} << (row % 64);
      rows_[size_] = row;
      size_ += (word & bit) == 0 ? 1 : 0;
      word |= bit;
    }

   private:
    RowSet& set_;
    uint64_t* words_;
    Row* rows_;
    size_t size_;
    const Row end_;
  };
  void Insert(std::span<const Row> rows) {
    Inserter inserter(*this, rows.size());
    for (const Row row : rows) inserter.Insert(row);
  }

  size_t size() const { return size_; }
  // All but the first `first` inserted.
  std::span<const Row> Since(size_t first) const { return {rows_.data() + first, size_ - first}; }
  bool Contains(Row row) const { return row < end_ && (words_[row / 64] >> (row % 64) & 1) != 0; }

 private:
  Row end_ = 0;
  std::vector<uint64_t> words_;
  std::vector<Row> rows_;  // The first size_ are the set.
  size_t size_ = 0;
};

// Rows that the graph has not taken. Externally synchronised.
struct GraphTail {
  std::vector<Row> rows;
  RowSet set;  // The same.
};

// Externally synchronised.
struct SearchScratch {
  CodeStore::Query query;
  RowSet visited;
  CodeStore::Measured measured;     // The distances of the rows that were visited last.
  LinearPool pool;                  // Of the last search, nearest first.
  std::vector<Candidate> frontier;  // Of a filtered search: a heap.
  std::vector<Row> admitted;        // Of a scan: to be measured.
  GraphTail tail;

  // Of an insertion: the neighbours by level, and what their selection compares.
  std::vector<std::vector<Candidate>> neighbors;
  CodeStore::Query candidate;
  CodeStore::Measured compared;

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
