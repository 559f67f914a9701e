// The speed of a system at a given recall, read off its measured curve.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

namespace vettore::bench {

// A system at one setting.
struct CurvePoint {
  double recall = 0;
  double qps = 0;
  double p99_us = 0;
  friend bool operator==(const CurvePoint&, const CurvePoint&) = default;
};

// The point of the curve at recall `target`: log QPS and log latency interpolated linearly in
// recall between the nearest measured points on either side. Where every point has more recall, the
// fastest of them; nullopt where none reaches it. Points that another beats in both recall and QPS
// are left out first. points: any order.
std::optional<CurvePoint> AtRecall(std::vector<CurvePoint> points, double target);

// Measures the recall of one setting, cheaply.
using RecallOfFn = std::function<absl::StatusOr<double>(uint32_t ef)>;

struct EfRange {
  uint32_t least = 10;
  uint32_t most = 4096;
};

// Settings of the search parameter ef whose recalls stand closely around each target (at most 0.01
// away from it on each side, or next to each other), ascending. A target that `most` does not reach
// adds `most`; one that `least` exceeds adds `least`.
absl::StatusOr<std::vector<uint32_t>> BracketingEfs(const RecallOfFn& recall_of, EfRange range,
                                                    const std::vector<double>& targets);

}  // namespace vettore::bench
