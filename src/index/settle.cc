// Settling hits whose rows died while the search ran.
#include "index/settle.h"

#include <algorithm>

#include "base/strings.h"

namespace vettore {

absl::Status CheckDimension(std::span<const float> vector, size_t dim) {
  if (vector.size() == dim) return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat("vector: dimension ", vector.size(), ", index expects ", dim));
}

Settled Settle(const RowStore& rows, const VectorDistance& distance, const float* query,
               std::span<const Hit> hits) {
  Settled settled;
  settled.neighbors.reserve(hits.size());
  bool moved_any = false;
  for (const Hit& hit : hits) {
    if (rows.IsAlive(hit.row)) {
      settled.neighbors.push_back(hit.neighbor);
      continue;
    }
    const Row now = rows.RowOf(hit.neighbor.slot);
    if (now == kNoRow) {
      settled.lost_any = true;
      continue;
    }
    settled.neighbors.push_back({hit.neighbor.slot, distance(query, rows.vector(now))});
    moved_any = true;
  }
  if (moved_any) std::sort(settled.neighbors.begin(), settled.neighbors.end());
  return settled;
}

}  // namespace vettore
