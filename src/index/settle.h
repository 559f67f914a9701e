// Brings the hits of a search up to the present before they are returned.
#pragma once

#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "index/rows/row_store.h"
#include "index/top_k.h"
#include "index/vector_distance.h"
#include "index/vector_index.h"

namespace vettore {

// InvalidArgument unless the vector has the index's dimension.
absl::Status CheckDimension(std::span<const float> vector, size_t dim);

struct Settled {
  std::vector<Neighbor> neighbors;  // Nearest first.
  size_t lost = 0;                  // Hits whose slot holds nothing any more.
};

// A hit whose slot was put anew while the search ran gets its new distance; one whose slot was
// removed is dropped. query: (dim). hits: nearest first, each slot once, from a search whose era is
// still held.
Settled Settle(const RowStore& rows, const VectorDistance& distance, const float* query,
               std::span<const Hit> hits);

// Finds `k` neighbours that are still there. find(n): the up to `n` nearest hits, settled. It runs
// again, asking for more than were lost, while removals leave too few; but not for ever.
absl::StatusOr<std::vector<Neighbor>> FindSettled(
    size_t k, absl::FunctionRef<absl::StatusOr<Settled>(size_t)> find);

}  // namespace vettore
