#include "types/metric.h"

#include <array>
#include <cmath>
#include <limits>

#include "absl/strings/escaping.h"
#include "base/strings.h"

namespace vettore {
namespace {

constexpr std::array kMetrics = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine};

// sqrt rounds, so several distances share a score: the largest of them, that a point at the
// threshold is kept.
float LargestSquareOf(float length) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (length < 0) return -kInfinity;
  float square = length * length;
  if (!std::isfinite(square)) return square;
  while (square > 0 && std::sqrt(square) > length) square = std::nextafter(square, 0.0f);
  while (true) {
    const float next = std::nextafter(square, kInfinity);
    if (std::sqrt(next) > length || !std::isfinite(next)) return square;
    square = next;
  }
}

}  // namespace

std::string_view NameOf(Metric metric) {
  switch (metric) {
    case Metric::kL2:
      return "l2";
    case Metric::kInnerProduct:
      return "inner_product";
    case Metric::kCosine:
      return "cosine";
  }
  return "";
}

absl::StatusOr<Metric> ParseMetric(std::string_view name) {
  for (const Metric metric : kMetrics) {
    if (name == NameOf(metric)) return metric;
  }
  return absl::InvalidArgumentError(StrCat("metric: wanted l2, inner_product or cosine, got '",
                                           absl::CHexEscape(AbslView(name.substr(0, 64))), "'"));
}

float ScoreOfDistance(Metric metric, float distance) {
  switch (metric) {
    case Metric::kL2:
      // Kernels that expand the square may fall below zero by a rounding.
      return std::sqrt(distance > 0 ? distance : 0.0f);
    case Metric::kInnerProduct:
    case Metric::kCosine:
      return -distance;
  }
  return distance;
}

float DistanceOfScore(Metric metric, float score) {
  switch (metric) {
    case Metric::kL2:
      return LargestSquareOf(score);
    case Metric::kInnerProduct:
    case Metric::kCosine:
      return -score;
  }
  return score;
}

}  // namespace vettore
