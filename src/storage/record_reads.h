// The reads that a store and a reader of its directory share.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/rocks_database.h"
#include "storage/store_reader.h"

namespace vettore {

// Each as the method of StoreReader.
absl::StatusOr<std::optional<std::string>> ReadMeta(const RocksDatabase& database,
                                                    std::string_view key);
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadAllMeta(
    const RocksDatabase& database, std::string_view prefix);
absl::StatusOr<Position> ReadAppliedPosition(const RocksDatabase& database, ShardKey shard);
struct OpsPast {
  ShardKey shard;
  Position after;
};
absl::Status VisitOps(const RocksDatabase& database, const OpsPast& past,
                      const std::function<absl::Status(Position, std::span<const Op>)>& visit);

}  // namespace vettore
