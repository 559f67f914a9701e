#include "storage/record_reads.h"

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "base/status.h"
#include "base/strings.h"
#include "storage/op_log.h"
#include "storage/rocks_status.h"

namespace vettore {

absl::StatusOr<std::optional<std::string>> ReadMeta(const RocksDatabase& database,
                                                    std::string_view key) {
  VETTORE_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                           database.Get(ColumnFamily::kMeta, key));
  if (!stored) return std::nullopt;
  absl::StatusOr<std::string> value = DecodeMeta(*stored);
  if (!value.ok()) return DamagedRecord(ColumnFamily::kMeta, key, value.status());
  return *std::move(value);
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadAllMeta(
    const RocksDatabase& database, std::string_view prefix) {
  std::vector<std::pair<std::string, std::string>> pairs;
  Scan scan(database, ColumnFamily::kMeta, Scan::PrefixRange(prefix));
  for (; scan.Valid(); scan.Next()) {
    absl::StatusOr<std::string> value = DecodeMeta(scan.value());
    if (!value.ok()) return scan.Damaged(value.status());
    pairs.emplace_back(scan.key(), *std::move(value));
  }
  VETTORE_RETURN_IF_ERROR(scan.status());
  return pairs;
}

absl::StatusOr<Position> ReadAppliedPosition(const RocksDatabase& database, ShardKey shard) {
  VETTORE_ASSIGN_OR_RETURN(const ShardRecord record, OpLog::ReadShard(database, shard, nullptr));
  return record.applied;
}

absl::Status VisitOps(const RocksDatabase& database, const OpsPast& past,
                      const std::function<absl::Status(Position, std::span<const Op>)>& visit) {
  const auto& [shard, after] = past;
  const rocksdb::Snapshot* const snapshot = database.db().GetSnapshot();
  const absl::Cleanup release = [&database, snapshot] { database.db().ReleaseSnapshot(snapshot); };
  VETTORE_ASSIGN_OR_RETURN(const ShardRecord record, OpLog::ReadShard(database, shard, snapshot));
  if (after < record.trimmed) {
    return absl::OutOfRangeError(StrCat(
        "collection ", shard.collection, " shard ", shard.shard, ": op-log records past {",
        after.epoch, ", ", after.seq, "} were asked for, those up to {", record.trimmed.epoch, ", ",
        record.trimmed.seq, "} are trimmed; rebuild from the points"));
  }
  const std::string prefix = ShardPrefix(shard);
  // The smallest key past that of `after`.
  Scan scan(database, ColumnFamily::kOps,
            {.lower = OpsKey(shard, after) + std::string(1, '\0'), .upper = PrefixEnd(prefix)},
            snapshot);
  for (; scan.Valid(); scan.Next()) {
    const absl::StatusOr<Position> position = DecodeOpsKey(scan.key(), prefix);
    if (!position.ok()) return scan.Damaged(position.status());
    const absl::StatusOr<std::vector<Op>> ops = DecodeOps(scan.value());
    if (!ops.ok()) return scan.Damaged(ops.status());
    VETTORE_RETURN_IF_ERROR(visit(*position, *ops));
  }
  return scan.status();
}

}  // namespace vettore
