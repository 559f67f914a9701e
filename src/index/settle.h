// Brings the hits of a search up to the present before they are returned.
#pragma once

#include <span>
#include <vector>

#include "absl/status/status.h"
#include "index/row_store.h"
#include "index/top_k.h"
#include "index/vector_distance.h"
#include "index/vector_index.h"

namespace vettore {

// InvalidArgument unless the vector has the index's dimension.
absl::Status CheckDimension(std::span<const float> vector, size_t dim);

// A search runs again when what it found was removed meanwhile, but not for ever.
inline constexpr int kSearchAttempts = 3;

struct Settled {
  std::vector<Neighbor> neighbors;  // Nearest first.
  bool lost_any =
      false;  // A hit's slot holds nothing any more; searching again may find a replacement.
};

// A hit whose slot was put anew while the search ran gets its new distance; one whose slot was
// removed is dropped. query: (dim). hits: nearest first, each slot once, from a search whose era is
// still held.
Settled Settle(const RowStore& rows, const VectorDistance& distance, const float* query,
               std::span<const Hit> hits);

}  // namespace vettore
