// Settling hits whose rows died while the search ran.
#include "index/settle.h"

#include <algorithm>

#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

constexpr int kSearchAttempts = 5;
// Per lost hit: what removes points goes on meanwhile.
constexpr size_t kSparePerLoss = 4;

}  // namespace

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
      ++settled.lost;
      continue;
    }
    settled.neighbors.push_back({hit.neighbor.slot, distance(query, rows.vector(now))});
    moved_any = true;
  }
  if (moved_any) std::sort(settled.neighbors.begin(), settled.neighbors.end());
  return settled;
}

absl::StatusOr<std::vector<Neighbor>> FindSettled(
    size_t k, absl::FunctionRef<absl::StatusOr<Settled>(size_t)> find) {
  Settled settled;
  size_t wanted = k;
  for (int attempt = 0; k > 0 && attempt < kSearchAttempts; ++attempt) {
    VETTORE_ASSIGN_OR_RETURN(settled, find(wanted));
    if (settled.lost == 0 || settled.neighbors.size() >= k) break;
    wanted += kSparePerLoss * settled.lost;
  }
  if (settled.neighbors.size() > k) settled.neighbors.resize(k);
  return std::move(settled.neighbors);
}

}  // namespace vettore
