// Scanning the blocks of lists and measuring candidates.
#include "index/lists/ivf_list_scan.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/status.h"

namespace vettore {
namespace {

// Between two looks at the cancel token: a fraction of a millisecond.
constexpr size_t kCodesPerPoll = 16'384;
constexpr size_t kVectorsPerPoll = 4'096;
// Lists after which the nearest so far are measured: no more than a search in a batch scans in its
// own order (see IvfSearcher), or it would not find, to the bit, what a search alone finds.
constexpr size_t kMeasuredAtOnce = 2;
// Candidates are fetched so far ahead of being measured.
constexpr size_t kAhead = 8;
constexpr size_t kLineBytes = 64;
// Of a list's vectors: after them the hardware follows.
constexpr size_t kFirstBytes = IvfBlock::kHeadBytes + 1024;

// The mean and spread of how far estimates are off.
class ErrorStatistics {
 public:
  void Add(float error) {
    sum_ += error;
    squares_ += static_cast<double>(error) * error;
    ++count_;
  }
  // Few errors are below it.
  float Low() const {
    constexpr double kSpreads = 4;
    const double mean = sum_ / count_;
    const double variance = std::max(squares_ / count_ - mean * mean, 0.0);
    return static_cast<float>(mean - kSpreads * std::sqrt(variance));
  }

 private:
  double sum_ = 0;
  double squares_ = 0;
  double count_ = 0;
};

template <typename T>
void Prefetch(const T* begin, size_t size_bytes) {
  const auto* const bytes = reinterpret_cast<const char*>(begin);
  for (size_t i = 0; i < size_bytes; i += kLineBytes) __builtin_prefetch(bytes + i);
}

}  // namespace

absl::Status IvfListScan::List(const Step& step, const CancelToken& cancel) {
  const IvfList& list = step.list;
  since_poll_ += list.size();
  if (since_poll_ >= (tables_ != nullptr ? kCodesPerPoll : kVectorsPerPoll)) {
    since_poll_ = 0;
    VETTORE_RETURN_IF_ERROR(cancel.Poll());
  }
  if (tables_ != nullptr) {
    Estimate(step);
    if (is_bounded_ && ++lists_ <= kMeasuredAtOnce) MeasureNearest();
    return absl::OkStatus();
  }
  Measure(step);
  return absl::OkStatus();
}

// Row after row: four at once would defeat the hardware's prefetching of one stream.
void IvfListScan::Measure(const Step& step) {
  const IvfList& list = step.list;
  if (step.next != nullptr && step.next->block_count() > 0) {
    Prefetch(step.next->block(0).rows(), kFirstBytes);
  }
  const size_t width = source_.rows.vector_width();
  for (size_t i = 0; i < list.block_count(); ++i) {
    const IvfBlock block = list.block(i);
    const float* vector = block.vectors();
    const size_t count = std::min(IvfBlock::kRows, list.size() - i * IvfBlock::kRows);
    for (size_t j = 0; j < count; ++j, vector += width) {
      const Row row = block.rows()[j];
      if (filter_.Admits(row)) Offer(row, source_.distance(source_.query, vector));
    }
  }
}

void IvfListScan::Offer(Row row, float distance) {
  ++measured_;
  if (distance <= top_.threshold()) top_.Push({{source_.rows.slot(row), distance}, row});
}

// The vectors of candidates lie anywhere: each comes from memory while others are measured.
void IvfListScan::Fetch(Row row) const {
  Prefetch(source_.rows.vector(row), source_.distance.dim() * sizeof(float));
}

float IvfListScan::limit() const {
  return is_bounded_ ? std::min(pool_.limit(), top_.threshold()) : pool_.limit();
}

// Their distances bound what else can be of interest: most rows of later lists are then not even
// noted.
void IvfListScan::MeasureNearest() {
  const std::vector<Candidate> nearest = pool_.TakeNearest(k_);
  for (const Candidate& candidate : nearest) Fetch(candidate.row);
  for (const Candidate& candidate : nearest) {
    if (candidate.distance > top_.threshold()) continue;
    Offer(candidate.row, source_.distance(source_.query, source_.rows.vector(candidate.row)));
  }
}

void IvfListScan::Estimate(const Step& step) {
  const IvfList& list = step.list;
  float estimates[IvfBlock::kRows];
  for (size_t i = 0; i < list.block_count(); ++i) {
    const IvfBlock block = list.block(i);
    if (step.next != nullptr && i < step.next->block_count()) {
      Prefetch(step.next->block(i).rows(), step.next->block_bytes());
    }
    // Places past the end have an infinite bias, and the pool's first limit is infinite.
    const size_t count = std::min(IvfBlock::kRows, list.size() - i * IvfBlock::kRows);
    const uint32_t exists = count == IvfBlock::kRows ? ~uint32_t{0} : (uint32_t{1} << count) - 1;
    uint32_t mask =
        exists & tables_->Scan({block.codes(), block.biases(), block.factors(list.shape())},
                               {step.offset, limit(), step.products}, estimates);
    for (; mask != 0; mask &= mask - 1) {
      const auto at = static_cast<size_t>(std::countr_zero(mask));
      const Row row = block.rows()[at];
      if (estimates[at] <= limit() && filter_.Admits(row)) pool_.Push({estimates[at], row});
    }
  }
  estimated_ += list.size();
}

absl::StatusOr<std::vector<Hit>> IvfListScan::Finish(const CancelToken& cancel) {
  VETTORE_RETURN_IF_ERROR(cancel.Poll());
  const std::vector<Candidate> candidates = pool_.TakeSorted();
  for (size_t i = 0; i < std::min(kAhead, candidates.size()); ++i) {
    Fetch(candidates[i].row);
  }
  ErrorStatistics errors;
  const size_t least = 3 * k_;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const auto [estimate, row] = candidates[i];
    // The rest is still farther; as the errors are, hardly any of it would enter.
    if (is_bounded_ ? estimate > top_.threshold()
                    : i >= least && estimate + errors.Low() > top_.threshold()) {
      break;
    }
    if (i + kAhead < candidates.size()) Fetch(candidates[i + kAhead].row);
    const float distance = source_.distance(source_.query, source_.rows.vector(row));
    Offer(row, distance);
    errors.Add(distance - estimate);
  }
  return top_.TakeSorted();
}

}  // namespace vettore
