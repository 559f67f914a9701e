// How the lists of an IVF index hold a vector: nothing but its row, or a code of its residual.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/ivf_list.h"
#include "index/row_store.h"

namespace vettore {

// Immutable.
class IvfCoder {
 public:
  // Of a row.
  size_t code_bytes() const { return 0; }

  // Puts the row behind those of `out`. vector, centroid: (dim).
  void Encode(Row row, const float* /*vector*/, const float* /*centroid*/, CodedRows& out) const {
    out.rows.push_back(row);
    out.biases.push_back(0);
  }
};

}  // namespace vettore
