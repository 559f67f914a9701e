// A data set for nearest-neighbour benchmarks: vectors, sets of queries, and the exact answers.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/npy_matrix.h"
#include "types/metric.h"

namespace vettore::bench {

struct QuerySet {
  std::string name;       // "queries", "queries_nq"
  Matrix<float> vectors;  // (queries, dim)
  Matrix<int32_t> truth;  // (queries, neighbours): rows of the base, nearest first
};

struct AnnData {
  std::string name;
  Metric metric = Metric::kL2;
  Matrix<float> base;  // (vectors, dim), unit length for cosine
  std::vector<QuerySet> query_sets;
};

// Reads `base.*.npy`, and for each `queries<suffix>.*.npy` its `gt<suffix>_ids.*.npy`. The metric
// is cosine where `gt<suffix>_cos.*` lies beside it, else L2. NotFound, InvalidArgument.
absl::StatusOr<AnnData> ReadAnnData(const std::filesystem::path& directory);

}  // namespace vettore::bench
