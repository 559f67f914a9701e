// The candidates of a scan of codes, which are to be measured exactly.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "index/linear_pool.h"

namespace vettore {

// Keeps the nearest `capacity` of what is pushed. It lets twice as many gather before it drops the
// farther half, so that a push costs O(1) on average. Externally synchronised.
class CandidatePool {
 public:
  // capacity >= 1. Memory grows with what is pushed.
  explicit CandidatePool(size_t capacity) : capacity_(capacity) {}

  // What is farther need not be pushed. Falls as candidates come.
  float limit() const { return limit_; }
  // At least min(capacity, what was pushed).
  size_t size() const { return candidates_.size(); }

  void Push(const Candidate& candidate) {
    candidates_.push_back(candidate);
    if (candidates_.size() >= 2 * capacity_) Drop();
  }

  // Up to `count` of the nearest, in any order, which the pool holds no more.
  std::vector<Candidate> TakeNearest(size_t count) {
    count = std::min(count, candidates_.size());
    const auto end = candidates_.begin() + static_cast<ptrdiff_t>(count);
    std::nth_element(candidates_.begin(), end, candidates_.end(), IsNearer());
    const std::vector<Candidate> nearest(candidates_.begin(), end);
    candidates_.erase(candidates_.begin(), end);
    return nearest;
  }

  // Up to `capacity`, nearest first; the pool is empty afterwards.
  std::vector<Candidate> TakeSorted() {
    if (candidates_.size() > capacity_) Drop();
    std::sort(candidates_.begin(), candidates_.end(), IsNearer());
    limit_ = std::numeric_limits<float>::infinity();
    return std::exchange(candidates_, {});
  }

 private:
  struct IsNearer {
    bool operator()(const Candidate& a, const Candidate& b) const {
      return a.distance != b.distance ? a.distance < b.distance : a.row < b.row;
    }
  };

  void Drop() {
    const auto last = candidates_.begin() + static_cast<ptrdiff_t>(capacity_ - 1);
    std::nth_element(candidates_.begin(), last, candidates_.end(), IsNearer());
    limit_ = last->distance;
    candidates_.resize(capacity_);
  }

  const size_t capacity_;
  float limit_ = std::numeric_limits<float>::infinity();
  std::vector<Candidate> candidates_;
};

}  // namespace vettore
