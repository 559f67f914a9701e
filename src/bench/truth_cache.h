// Exact answers kept in files, so that a data set is scanned once.
#pragma once

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "bench/exact_truth.h"

namespace vettore::bench {

// $XDG_CACHE_HOME/vettore/truth, or ~/.cache/vettore/truth; empty where neither is known.
std::filesystem::path DefaultTruthDirectory();

// ExactTruth, from a file of `directory` where one holds the answers to this very question, else
// computed and kept there. The file's name is the XXH3-128 of the vectors, metric, k and filter; a
// file that is damaged is computed anew. An empty directory keeps nothing; one that cannot be
// written is passed over, for the answers are there all the same.
Neighbors CachedTruth(const TruthQuestion& question, const TruthRun& run,
                      const std::filesystem::path& directory);

}  // namespace vettore::bench
