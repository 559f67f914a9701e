// How near two vectors are.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"

namespace vettore {

// Below the server a smaller distance is closer: squared L2; the negated inner product; for cosine,
// the negated inner product of vectors that were normalised on write.
enum class Metric { kL2, kInnerProduct, kCosine };

std::string_view NameOf(Metric metric);  // "l2", "inner_product", "cosine"
absl::StatusOr<Metric> ParseMetric(std::string_view name);

// The client-facing score of a distance: the L2 distance (smaller is closer), the inner product or
// the cosine (larger is closer).
float ScoreOfDistance(Metric metric, float distance);
// The inverse, for score thresholds.
float DistanceOfScore(Metric metric, float score);

}  // namespace vettore
