// Looks through the index files of a data directory that no server has open.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "index/index_report.h"
#include "types/collection_config.h"
#include "types/position.h"

namespace vettore {

// The index of one vector of one shard.
struct VerifiedIndex {
  std::string collection;
  std::string vector;  // Its name; empty: the default one.
  uint16_t shard = 0;
  IndexConfig kind = {};
  // Its checkpoint; absent where there is none, so that a start builds the index from the records.
  std::optional<std::filesystem::path> file = {};
  Position covered = {};
  IndexReport report = {};
};

struct Verification {
  std::vector<VerifiedIndex> indexes;  // By collection and vector.
  // Collections of which nothing can be said, because the catalog's record of them is damaged.
  std::vector<std::pair<std::string, absl::Status>> damaged;

  bool is_sound() const;
};

// Of all collections, or of those that are named. No byte in the directory changes, and no server
// can open it meanwhile. FailedPrecondition: one has; NotFound: no such directory, or collection;
// DataLoss: the records themselves are damaged; ResourceExhausted.
absl::StatusOr<Verification> VerifyDataDirectory(const std::filesystem::path& data_dir,
                                                 const std::vector<std::string>& collections);

}  // namespace vettore
