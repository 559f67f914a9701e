// A scan in tiles: a block of the base stays in the nearest caches while a batch of queries passes.
#include "bench/exact_truth.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

#include "index/vector_distance.h"

namespace vettore::bench {
namespace {

constexpr size_t kQueriesAtOnce = 16;
constexpr size_t kBlockBytes = size_t{256} << 10;

// The k nearest so far: a heap, the farthest on top.
class Nearest {
 public:
  explicit Nearest(size_t k) : k_(k) { heap_.reserve(k); }

  void Offer(float distance, size_t row) {
    const std::pair entry(distance, static_cast<int32_t>(row));
    if (heap_.size() == k_) {
      if (entry >= heap_.front()) return;
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.back() = entry;
    } else {
      heap_.push_back(entry);
    }
    std::push_heap(heap_.begin(), heap_.end());
  }

  // out: (k), filled with kNoRow.
  void TakeInto(int32_t* out) {
    std::sort_heap(heap_.begin(), heap_.end());
    for (const auto& [distance, row] : heap_) *out++ = row;
  }

 private:
  const size_t k_;
  std::vector<std::pair<float, int32_t>> heap_;
};

class Scan {
 public:
  Scan(const TruthQuestion& question, Neighbors& out)
      : question_(question), distance_(question.metric, question.base.dim), out_(out) {
    const size_t row_bytes = question.base.dim * sizeof(float);
    block_ = std::max<size_t>(4, kBlockBytes / std::max<size_t>(row_bytes, 1));
  }

  // One batch of queries against the whole base; false when all are taken.
  bool RunSome() {
    const size_t begin = next_.fetch_add(kQueriesAtOnce);
    if (begin >= question_.queries.count) return false;
    const size_t end = std::min(begin + kQueriesAtOnce, question_.queries.count);
    std::vector<Nearest> nearest(end - begin, Nearest(question_.k));
    for (size_t row = 0; row < question_.base.count; row += block_) {
      const size_t stop = std::min(row + block_, question_.base.count);
      for (size_t q = begin; q < end; ++q) ScanBlock(q, {row, stop}, nearest[q - begin]);
    }
    for (size_t q = begin; q < end; ++q) {
      nearest[q - begin].TakeInto(out_.values.data() + q * question_.k);
    }
    done_ += end - begin;
    return true;
  }

  double share() const {
    return static_cast<double>(done_) / static_cast<double>(question_.queries.count);
  }

 private:
  void ScanBlock(size_t q, std::pair<size_t, size_t> rows, Nearest& nearest) const {
    const Matrix<float>& base = question_.base;
    const float* const query = question_.queries.row(q);
    const auto allowed = [&](size_t row) {
      return question_.allowed == nullptr || question_.allowed->Contains(static_cast<Slot>(row));
    };
    size_t row = rows.first;
    for (; row + 4 <= rows.second; row += 4) {
      const float* const four[4] = {base.row(row), base.row(row + 1), base.row(row + 2),
                                    base.row(row + 3)};
      float distances[4];
      distance_.To4(query, four, distances);
      for (size_t i = 0; i < 4; ++i) {
        if (allowed(row + i)) nearest.Offer(distances[i], row + i);
      }
    }
    for (; row < rows.second; ++row) {
      if (allowed(row)) nearest.Offer(distance_(query, base.row(row)), row);
    }
  }

  const TruthQuestion& question_;
  const VectorDistance distance_;
  Neighbors& out_;
  size_t block_;
  std::atomic<size_t> next_ = 0;
  std::atomic<size_t> done_ = 0;
};

}  // namespace

Neighbors ExactTruth(const TruthQuestion& question, const TruthRun& run) {
  Neighbors out{.values = std::vector<int32_t>(question.queries.count * question.k, kNoRow),
                .count = question.queries.count,
                .dim = question.k};
  Scan scan(question, out);
  std::vector<std::thread> others;
  for (int i = 1; i < run.threads; ++i) {
    others.emplace_back([&scan] {
      while (scan.RunSome()) {
      }
    });
  }
  while (scan.RunSome()) {
    if (run.on_progress) run.on_progress(scan.share());
  }
  for (std::thread& other : others) other.join();
  return out;
}

}  // namespace vettore::bench
