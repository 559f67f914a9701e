// The candidates of a graph search: a sorted array, from which the nearest are taken to be
// expanded.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <vector>

#include "index/rows/row_store.h"

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
  static constexpr size_t kFar = std::numeric_limits<size_t>::max();

  // Forgets all; keeps at most `capacity` (>= 1) from now on.
  void Reset(size_t capacity) {
    capacity_ = capacity;
    distances_.assign(capacity + kWindow, std::numeric_limits<float>::infinity());
    rows_.resize(std::max(rows_.size(), capacity + 1));
    size_ = 0;
    cursor_ = 0;
  }

  size_t size() const { return size_; }
  bool full() const { return size_ == capacity_; }
  // Nearest first. i < size().
  Candidate operator[](size_t i) const { return {distances_[i], rows_[i] & ~kTaken}; }
  // size() >= 1.
  float worst() const { return distances_[size_ - 1]; }
  bool Admits(float distance) const { return !full() || distance < worst(); }

  // Keeps the candidate if it is among the nearest `capacity`; the farthest drops out. Returns how
  // many places it stands behind the nearest that was not taken yet; kFar when it was not kept.
  size_t Insert(Candidate candidate) {
    if (!Admits(candidate.distance)) return kFar;
    const size_t place = PlaceOf(candidate.distance);
    // The arrays hold one more than the pool, where the farthest falls.
    const size_t behind = size_ - place;
    std::memmove(&distances_[place + 1], &distances_[place], behind * sizeof(float));
    std::memmove(&rows_[place + 1], &rows_[place], behind * sizeof(Row));
    distances_[place] = candidate.distance;
    rows_[place] = candidate.row;
    size_ = std::min(size_ + 1, capacity_);
    distances_[capacity_] = std::numeric_limits<float>::infinity();
    cursor_ = std::min(cursor_, place);
    return place - cursor_;
  }

  // Takes up to `most` of the nearest that were not taken yet, nearest first; none when all were.
  size_t TakeNearest(size_t most, Row* out) {
    size_t taken = 0;
    for (; cursor_ < size_ && taken < most; ++cursor_) {
      if ((rows_[cursor_] & kTaken) != 0) continue;
      out[taken++] = rows_[cursor_];
      rows_[cursor_] |= kTaken;
    }
    return taken;
  }

  // Calls visit(row) for what TakeNearest() would take now, or some of it.
  template <typename Visit>
  void ForEachNext(size_t most, Visit visit) const {
    const size_t end = std::min(size_, cursor_ + most);
    for (size_t i = cursor_; i < end; ++i) visit(rows_[i] & ~kTaken);
  }

 private:
  static constexpr Row kTaken = 0x80000000;
  static_assert(kMostRows <= kTaken);

  // What is left of a search by halves is counted through, several at a time.
  static constexpr size_t kWindow = 32;

  // Behind what is as near. Without branches on distances: which way they go nobody can predict.
  size_t PlaceOf(float distance) const {
    const float* begin = distances_.data();
    for (size_t count = size_; count > kWindow;) {
      const size_t half = count / 2;
      begin += half & -static_cast<size_t>(begin[half - 1] <= distance);
      count -= half;
    }
    // Past the end lies infinity, in at least a window.
    uint32_t nearer = 0;
    for (size_t i = 0; i < kWindow; ++i) nearer += begin[i] <= distance ? 1U : 0U;
    // An infinite distance is not farther than what lies past the end.
    return std::min(static_cast<size_t>(begin - distances_.data()) + nearer, size_);
  }

  size_t capacity_ = 0;
  size_t size_ = 0;
  size_t cursor_ = 0;             // All before it were taken.
  std::vector<float> distances_;  // Ascending; behind the size_ that hold, infinity.
  std::vector<Row> rows_;         // The same; kTaken is set in those that were taken.
};

}  // namespace vettore
