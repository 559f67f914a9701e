#include "bench/measure.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <ctime>
#include <mutex>
#include <thread>

#include "base/status.h"
#include "index/vector_distance.h"

namespace vettore::bench {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

size_t CountBatches(const PassShape& shape) {
  return (shape.queries + shape.batch - 1) / shape.batch;
}

Pass EmptyPass(const PassShape& shape) {
  Pass pass;
  pass.latencies_us.resize(CountBatches(shape));
  pass.found = {.values = std::vector<int32_t>(shape.queries * shape.k, kNoRow),
                .count = shape.queries,
                .dim = shape.k};
  return pass;
}

// Asks the batches, and keeps what they answer. Externally synchronised.
class Asker {
 public:
  Asker(const PassShape& shape, const AnswerFn& answer, Pass& pass)
      : shape_(shape), answer_(answer), pass_(pass), rows_(shape.batch) {}

  absl::Status Ask(size_t batch) {
    const size_t first = batch * shape_.batch;
    const size_t count = std::min(shape_.batch, shape_.queries - first);
    const std::span<std::vector<int32_t>> rows = std::span(rows_).first(count);
    for (std::vector<int32_t>& of_one : rows) of_one.clear();
    VETTORE_RETURN_IF_ERROR(answer_(first, rows));
    for (size_t i = 0; i < count; ++i) {
      std::copy_n(rows[i].begin(), std::min(rows[i].size(), shape_.k),
                  pass_.found.values.data() + (first + i) * shape_.k);
    }
    return absl::OkStatus();
  }

 private:
  const PassShape& shape_;
  const AnswerFn& answer_;
  Pass& pass_;
  std::vector<std::vector<int32_t>> rows_;
};

}  // namespace

double ThreadCpuSeconds() { return Seconds(CLOCK_THREAD_CPUTIME_ID); }
double ProcessCpuSeconds() { return Seconds(CLOCK_PROCESS_CPUTIME_ID); }

PinnedThread::PinnedThread() : before_(sizeof(cpu_set_t)) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof(mask), &mask) != 0) {
    before_.clear();
    return;
  }
  std::memcpy(before_.data(), &mask, sizeof(mask));
  const int core = sched_getcpu();
  if (core < 0) return;
  CPU_ZERO(&mask);
  CPU_SET(static_cast<size_t>(core), &mask);
  sched_setaffinity(0, sizeof(mask), &mask);
}

PinnedThread::~PinnedThread() {
  if (before_.empty()) return;
  cpu_set_t mask;
  std::memcpy(&mask, before_.data(), sizeof(mask));
  sched_setaffinity(0, sizeof(mask), &mask);
}

double Quantile(std::vector<double> values, double q) {
  const auto at = static_cast<ptrdiff_t>(std::lround(q * static_cast<double>(values.size() - 1)));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<size_t>(at)];
}

Spread SpreadOf(const std::vector<double>& values) {
  const auto [min, max] = std::minmax_element(values.begin(), values.end());
  return {.median = Quantile(values, 0.5), .min = *min, .max = *max};
}

absl::StatusOr<Pass> RunPass(const PassShape& shape, const AnswerFn& answer) {
  Pass pass = EmptyPass(shape);
  Asker asker(shape, answer, pass);
  const auto begin = Clock::now();
  double before = ThreadCpuSeconds();
  for (size_t batch = 0; batch < CountBatches(shape); ++batch) {
    VETTORE_RETURN_IF_ERROR(asker.Ask(batch));
    const double now = ThreadCpuSeconds();
    pass.latencies_us[batch] = (now - before) * 1e6;
    pass.cpu_s += now - before;
    before = now;
  }
  pass.wall_s = SecondsSince(begin);
  return pass;
}

absl::StatusOr<Pass> RunPassOnThreads(const PassShape& shape, int threads, const AnswerFn& answer) {
  Pass pass = EmptyPass(shape);
  std::atomic<size_t> next = 0;
  std::mutex mutex;  // Guards `status` and pass.cpu_s.
  absl::Status status;
  const auto work = [&] {
    const double cpu_before = ThreadCpuSeconds();
    Asker asker(shape, answer, pass);
    absl::Status mine;
    for (size_t batch = next++; batch < CountBatches(shape) && mine.ok(); batch = next++) {
      const auto begin = Clock::now();
      mine = asker.Ask(batch);
      pass.latencies_us[batch] = SecondsSince(begin) * 1e6;
    }
    const std::lock_guard lock(mutex);
    pass.cpu_s += ThreadCpuSeconds() - cpu_before;
    status.Update(mine);
  };
  const auto begin = Clock::now();
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  pass.wall_s = SecondsSince(begin);
  VETTORE_RETURN_IF_ERROR(status);
  return pass;
}

double RecallAtK(const RecallQuestion& question, const Neighbors& found) {
  const VectorDistance distance(question.metric, question.base.dim);
  size_t hits = 0;
  size_t wanted = 0;
  for (size_t q = 0; q < found.count; ++q) {
    const int32_t* const truth = question.truth.row(q);
    const size_t exist = static_cast<size_t>(std::find(truth, truth + question.k, kNoRow) - truth);
    if (exist == 0) continue;
    wanted += exist;
    const float* const query = question.queries.row(q);
    const float farthest =
        distance(query, question.base.row(static_cast<size_t>(truth[exist - 1])));
    const float limit = farthest + 1e-6F * std::abs(farthest);
    for (const int32_t row : found.span(q)) {
      if (row == kNoRow) break;
      hits += distance(query, question.base.row(static_cast<size_t>(row))) <= limit ? 1 : 0;
    }
  }
  return wanted == 0 ? 1 : static_cast<double>(hits) / static_cast<double>(wanted);
}

}  // namespace vettore::bench
