// The candidates of a graph search: a bounded sorted array that remembers which were expanded.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "index/row_store.h"

namespace vettore {

// A row and its distance to the query.
struct Candidate {
  float distance = 0;
  Row row = kNoRow;
};

// One array takes the part of both heaps of Malkov & Yashunin's Algorithm 2: an insertion is a
// binary search and a short move, and the next candidate to expand is where the cursor stands.
// Externally synchronised.
class LinearPool {
 public:
  // Forgets all; keeps at most `capacity` (>= 1) from now on.
  void Reset(size_t capacity) {
    capacity_ = capacity;
    if (entries_.size() < capacity) entries_.resize(capacity);
    size_ = 0;
    cursor_ = 0;
  }

  size_t size() const { return size_; }
  bool full() const { return size_ == capacity_; }
  // Nearest first. i < size().
  Candidate operator[](size_t i) const { return {entries_[i].distance, entries_[i].row}; }
  // size() >= 1.
  float worst() const { return entries_[size_ - 1].distance; }
  bool Admits(float distance) const { return !full() || distance < worst(); }

  // Keeps the candidate if it is among the nearest `capacity`; the farthest drops out.
  void Insert(Candidate candidate) {
    if (!Admits(candidate.distance)) return;
    const auto begin = entries_.begin();
    const auto place = std::upper_bound(
        begin, begin + static_cast<ptrdiff_t>(size_), candidate.distance,
        [](float distance, const Entry& entry) { return distance < entry.distance; });
    const auto end = begin + static_cast<ptrdiff_t>(full() ? size_ - 1 : size_);
    std::move_backward(place, end, end + 1);
    *place = {candidate.distance, candidate.row, false};
    if (!full()) ++size_;
    cursor_ = std::min(cursor_, static_cast<size_t>(place - begin));
  }

  // The nearest candidate that was not taken yet; nothing when all were.
  std::optional<Candidate> TakeNearest() {
    while (cursor_ < size_ && entries_[cursor_].is_taken) ++cursor_;
    if (cursor_ == size_) return std::nullopt;
    entries_[cursor_].is_taken = true;
    return (*this)[cursor_++];
  }

 private:
  struct Entry {
    float distance;
    Row row;
    bool is_taken;
  };

  size_t capacity_ = 0;
  size_t size_ = 0;
  size_t cursor_ = 0;  // All entries before it were taken.
  std::vector<Entry> entries_;
};

}  // namespace vettore
