#include "bench/recall_curve.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>

#include "base/status.h"

namespace vettore::bench {
namespace {

constexpr double kClose = 0.01;
constexpr double kGrowth = 1.5;

// The recalls measured so far, by ef.
class Recalls {
 public:
  explicit Recalls(const RecallOfFn& recall_of) : recall_of_(recall_of) {}

  absl::StatusOr<double> At(uint32_t ef) {
    const auto found = known_.find(ef);
    if (found != known_.end()) return found->second;
    VETTORE_ASSIGN_OR_RETURN(const double recall, recall_of_(ef));
    known_.emplace(ef, recall);
    return recall;
  }

 private:
  const RecallOfFn& recall_of_;
  std::map<uint32_t, double> known_;
};

// Halves (low, high) until both recalls are close to the target. recall(low) < target <=
// recall(high).
absl::Status Narrow(Recalls& recalls, double target, uint32_t& low, uint32_t& high) {
  while (high - low > 1) {
    VETTORE_ASSIGN_OR_RETURN(const double below, recalls.At(low));
    VETTORE_ASSIGN_OR_RETURN(const double above, recalls.At(high));
    if (target - below <= kClose && above - target <= kClose) break;
    const uint32_t middle = low + (high - low) / 2;
    VETTORE_ASSIGN_OR_RETURN(const double recall, recalls.At(middle));
    (recall < target ? low : high) = middle;
  }
  return absl::OkStatus();
}

double Between(double from, double to, double share) {
  return std::exp(std::log(from) + (std::log(to) - std::log(from)) * share);
}

}  // namespace

std::optional<CurvePoint> AtRecall(std::vector<CurvePoint> points, double target) {
  std::sort(points.begin(), points.end(),
            [](const CurvePoint& a, const CurvePoint& b) { return a.qps > b.qps; });
  std::vector<CurvePoint> front;  // QPS falls, recall rises.
  for (const CurvePoint& point : points) {
    if (front.empty() || point.recall > front.back().recall) front.push_back(point);
  }
  const auto above =
      std::find_if(front.begin(), front.end(), [&](const auto& p) { return p.recall >= target; });
  if (above == front.end()) return std::nullopt;
  if (above == front.begin()) return *above;
  const CurvePoint& below = *(above - 1);
  const double share = (target - below.recall) / (above->recall - below.recall);
  return CurvePoint{.recall = target,
                    .qps = Between(below.qps, above->qps, share),
                    .p99_us = Between(below.p99_us, above->p99_us, share)};
}

absl::StatusOr<std::vector<uint32_t>> BracketingEfs(const RecallOfFn& recall_of, EfRange range,
                                                    const std::vector<double>& targets) {
  Recalls recalls(recall_of);
  std::set<uint32_t> wanted;
  for (const double target : targets) {
    uint32_t low = range.least;
    uint32_t high = range.least;
    VETTORE_ASSIGN_OR_RETURN(double recall, recalls.At(high));
    while (recall < target && high < range.most) {
      low = high;
      high = std::min(range.most, static_cast<uint32_t>(std::ceil(high * kGrowth)));
      VETTORE_ASSIGN_OR_RETURN(recall, recalls.At(high));
    }
    if (recall >= target && low < high) {
      VETTORE_RETURN_IF_ERROR(Narrow(recalls, target, low, high));
      wanted.insert(low);
    }
    wanted.insert(high);
  }
  return std::vector<uint32_t>(wanted.begin(), wanted.end());
}

}  // namespace vettore::bench
