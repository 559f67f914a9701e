// The exact nearest neighbours of queries, that recall is measured against.
#pragma once

#include <cstddef>
#include <functional>

#include "bench/matrix.h"
#include "types/metric.h"
#include "types/slot_bitmap.h"

namespace vettore::bench {

struct TruthQuestion {
  const Matrix<float>& base;     // (vectors, dim), unit length for cosine
  const Matrix<float>& queries;  // (queries, dim), likewise
  Metric metric = Metric::kL2;
  size_t k = 10;                        // >= 1
  const SlotBitmap* allowed = nullptr;  // Rows of the base that count; null: all.
};

struct TruthRun {
  int threads = 1;                                     // >= 1
  std::function<void(double share)> on_progress = {};  // From the calling thread; may be empty.
};

// By a scan of the whole base with the active kernels. Returns (queries, k): rows of the base,
// nearest first, equal distances by row; filled up with kNoRow.
Neighbors ExactTruth(const TruthQuestion& question, const TruthRun& run);

}  // namespace vettore::bench
