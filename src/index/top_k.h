// The k nearest hits of a scan.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "index/rows/row_store.h"
#include "index/vector_index.h"

namespace vettore {

// A found vector: the neighbour, and the row that was measured.
struct Hit {
  Neighbor neighbor;
  Row row = kNoRow;
  friend bool operator<(const Hit& a, const Hit& b) { return a.neighbor < b.neighbor; }
};

// A bounded heap with the farthest hit on top. Externally synchronised.
class TopK {
 public:
  // k >= 1. Memory grows with what is pushed, not with k.
  explicit TopK(size_t k) : k_(k) {}

  // What is farther cannot enter.
  float threshold() const { return threshold_; }
  size_t size() const { return hits_.size(); }

  void Push(const Hit& hit) {
    if (hits_.size() < k_) {
      hits_.push_back(hit);
      std::push_heap(hits_.begin(), hits_.end());
    } else if (hit < hits_.front()) {
      std::pop_heap(hits_.begin(), hits_.end());
      hits_.back() = hit;
      std::push_heap(hits_.begin(), hits_.end());
    }
    if (hits_.size() == k_) threshold_ = hits_.front().neighbor.distance;
  }

  // Nearest first; the heap is empty afterwards.
  std::vector<Hit> TakeSorted() {
    std::sort(hits_.begin(), hits_.end());
    threshold_ = std::numeric_limits<float>::infinity();
    return std::move(hits_);
  }

 private:
  const size_t k_;
  float threshold_ = std::numeric_limits<float>::infinity();
  std::vector<Hit> hits_;
};

}  // namespace vettore
