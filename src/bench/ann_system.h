// What `bench ann` measures: an index config, and which setting of its searches is swept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/ann_run.h"
#include "index/vector_index.h"
#include "types/collection_config.h"
#include "types/json.h"

namespace vettore::bench {

// Immutable.
struct AnnSystem {
  enum class Sweep {
    kNothing,   // One setting, which is slow and does not vary: passed once.
    kEfSearch,  // Of a graph.
    kNprobe,    // Of lists.
  };
  std::string name;  // "vettore-hnsw", "vettore-hnsw-sq8", "vettore-faiss-IVF64,SQ8"
  IndexConfig config;
  Sweep sweep = Sweep::kNothing;
  Json parameters = Json::object();  // What holds for the whole sweep.

  // "ef_search", "nprobe", or "".
  std::string_view swept() const;
  // One for each measurement; at least one. The name of what is swept is a parameter of each.
  std::vector<uint32_t> Settings(const AnnOptions& options) const;
  void Set(uint32_t setting, IndexSearchOptions& search) const;
};

// Of a kind as AnnOptions names it: one for each coding. InvalidArgument.
absl::StatusOr<std::vector<AnnSystem>> AnnSystemsOf(std::string_view kind,
                                                    const AnnOptions& options);

}  // namespace vettore::bench
