// What one pass of queries costs, and how passes are summed up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/matrix.h"
#include "types/metric.h"

namespace vettore::bench {

// Of the calling thread, and of the whole process, since they began. Nanosecond resolution.
double ThreadCpuSeconds();
double ProcessCpuSeconds();

// Keeps the calling thread on one core while it lives: timings do not pay for migrations. Threads
// started meanwhile inherit the core, so start none. Externally synchronised.
class PinnedThread {
 public:
  PinnedThread();
  ~PinnedThread();
  PinnedThread(const PinnedThread&) = delete;
  PinnedThread& operator=(const PinnedThread&) = delete;

 private:
  std::vector<uint8_t> before_;  // The thread's own mask.
};

// The value below which a share of `q` (0 to 1) of the values lie: the nearest of them. values: not
// empty.
double Quantile(std::vector<double> values, double q);

// The figures of repeated passes: their median, and the smallest and largest.
struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};
Spread SpreadOf(const std::vector<double>& values);

// One pass over the queries.
struct Pass {
  double wall_s = 0;
  double cpu_s = 0;                  // Of the searching threads together.
  std::vector<double> latencies_us;  // By batch; CPU time on one thread, else wall time.
  Neighbors found;                   // (queries, k), filled up with kNoRow
};

// Answers as many queries as `rows` has places, from `first` on: appends to the place of each up to
// k rows of the base, nearest first.
using AnswerFn = std::function<absl::Status(size_t first, std::span<std::vector<int32_t>> rows)>;

struct PassShape {
  size_t queries = 0;
  size_t k = 10;
  size_t batch = 1;  // Queries asked together; >= 1. The last may be fewer.
};

// Every batch once, one after the other on the calling thread, timed in its CPU time: what other
// programs take from the machine is not counted.
absl::StatusOr<Pass> RunPass(const PassShape& shape, const AnswerFn& answer);
// Every batch once, by `threads` threads together, timed by the clock on the wall.
absl::StatusOr<Pass> RunPassOnThreads(const PassShape& shape, int threads, const AnswerFn& answer);

// The share of the true k nearest that was found. What is as near as the farthest true answer
// counts too: equal distances are in no order.
struct RecallQuestion {
  const Matrix<float>& base;
  const Matrix<float>& queries;
  Metric metric = Metric::kL2;
  const Neighbors& truth;  // (queries, >= k)
  size_t k = 10;
};
double RecallAtK(const RecallQuestion& question, const Neighbors& found);

}  // namespace vettore::bench
