// What can be read of a data directory without the right to change it: metadata, positions and the
// op log.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/shard_key.h"
#include "types/point_id.h"
#include "types/position.h"
#include "types/slot_bitmap.h"

namespace vettore {

enum class OpKind : uint8_t { kUpsert = 1, kDelete = 2 };

struct Op {
  OpKind kind = OpKind::kUpsert;
  PointId id{0};
  Slot slot = kNoSlot;
};

// Thread-safe.
class StoreReader {
 public:
  // Of a directory that no process owns; none can while the reader lives. No byte of it changes.
  // The statuses of Store::Open(), and NotFound: there is no data directory.
  static absl::StatusOr<std::unique_ptr<StoreReader>> Open(const std::filesystem::path& data_dir);
  virtual ~StoreReader() = default;

  virtual absl::StatusOr<std::optional<std::string>> GetMeta(std::string_view key) const = 0;
  // All pairs whose key starts with `prefix`, by key.
  virtual absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ListMeta(
      std::string_view prefix) const = 0;

  // The position that the shard's records stand at; {0, 0} before the first write.
  virtual absl::StatusOr<Position> AppliedPosition(ShardKey shard) const = 0;
  // Visits the kept op-log records past `after`, oldest first. OutOfRange when older ones were
  // trimmed away.
  virtual absl::Status ForEachOps(
      ShardKey shard, Position after,
      const std::function<absl::Status(Position, std::span<const Op>)>& visit) const = 0;

  // Where the files of a vector's index are, if there are any.
  virtual std::filesystem::path IndexFolderPath(ShardKey shard, VectorOrdinal ordinal) const = 0;
};

}  // namespace vettore
