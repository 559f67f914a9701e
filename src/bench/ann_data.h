// A data set for nearest-neighbour benchmarks: vectors, sets of queries, and exact answers.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/exact_truth.h"
#include "bench/matrix.h"
#include "types/metric.h"

namespace vettore::bench {

struct QuerySet {
  std::string name = {};       // "queries", "queries_nq", "held-out"
  Matrix<float> vectors = {};  // (queries, dim)
  Neighbors truth = {};        // (queries, neighbours), nearest first; empty until it is known
};

struct AnnData {
  std::string name = {};
  Metric metric = Metric::kL2;
  Matrix<float> base;                     // (vectors, dim), unit length for cosine
  std::vector<QuerySet> query_sets = {};  // Not empty.
};

struct AnnDataOptions {
  // Where a data set that is given by its name alone lies; empty: nowhere.
  std::filesystem::path datasets_directory = {};
  // Of a file that does not say it, or in place of what it says.
  std::optional<Metric> metric = std::nullopt;
  // A file of queries in place of those of the data set.
  std::filesystem::path queries = {};
  // Generated, or held out of a single file of vectors. >= 1
  size_t query_count = 1'000;
  // Only the first rows of the base; its exact answers are then computed.
  std::optional<size_t> limit = std::nullopt;
};

// `spec` is one of: the name of a generated set; a directory with base, queries and exact answers
// (`base.*`, `queries<suffix>.*`, `gt<suffix>_ids.*` with `gt<suffix>_cos.*` beside it for cosine;
// or `*_base.*`, `*_query.*`, `*_groundtruth.*` as the TEXMEX corpora); a file .hdf5 of
// ann-benchmarks; a file of vectors, of which random rows become the queries; the name of a
// directory in datasets_directory. Vectors are brought to unit length for cosine.
// NotFound says where was looked; InvalidArgument names the file and what does not fit.
absl::StatusOr<AnnData> LoadAnnData(const std::string& spec, const AnnDataOptions& options);

// Computes, or takes from files of `directory`, the exact answers that `data` does not hold for
// `k`. InvalidArgument when the base has fewer than k rows.
absl::Status EnsureTruth(AnnData& data, size_t k, const TruthRun& run,
                         const std::filesystem::path& directory);

}  // namespace vettore::bench
