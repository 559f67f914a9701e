// A scan in tiles: a block of the base stays in the nearest caches while a batch of queries passes.
#include "bench/exact_truth.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "index/top_k.h"
#include "index/vector_distance.h"

namespace vettore::bench {
namespace {

constexpr size_t kQueriesAtOnce = 16;
constexpr size_t kBlockBytes = size_t{256} << 10;

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
    std::vector<TopK> nearest(end - begin, TopK(question_.k));
    for (size_t row = 0; row < question_.base.count; row += block_) {
      const size_t stop = std::min(row + block_, question_.base.count);
      for (size_t q = begin; q < end; ++q) ScanBlock(q, {row, stop}, nearest[q - begin]);
    }
    for (size_t q = begin; q < end; ++q) {
      int32_t* out = out_.values.data() + q * question_.k;
      for (const Hit& hit : nearest[q - begin].TakeSorted()) *out++ = static_cast<int32_t>(hit.row);
    }
    done_ += end - begin;
    return true;
  }

  double share() const {
    return static_cast<double>(done_) / static_cast<double>(question_.queries.count);
  }

 private:
  void ScanBlock(size_t q, std::pair<size_t, size_t> rows, TopK& nearest) const {
    const Matrix<float>& base = question_.base;
    const float* const query = question_.queries.row(q);
    const auto offer = [&](size_t row, float distance) {
      const auto slot = static_cast<Slot>(row);
      if (question_.allowed != nullptr && !question_.allowed->Contains(slot)) return;
      nearest.Push({{slot, distance}, slot});
    };
    size_t row = rows.first;
    for (; row + 4 <= rows.second; row += 4) {
      const float* const four[4] = {base.row(row), base.row(row + 1), base.row(row + 2),
                                    base.row(row + 3)};
      float distances[4];
      distance_.To4(query, four, distances);
      for (size_t i = 0; i < 4; ++i) offer(row + i, distances[i]);
    }
    for (; row < rows.second; ++row) {
      offer(row, distance_(query, base.row(row)));
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
