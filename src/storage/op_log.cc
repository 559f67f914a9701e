#include "storage/op_log.h"

#include <optional>
#include <string>

#include "base/status.h"
#include "base/strings.h"
#include "storage/rocks_status.h"

namespace vettore {

absl::StatusOr<ShardRecord> OpLog::ReadShard(const RocksDatabase& database, ShardKey shard,
                                             const rocksdb::Snapshot* snapshot) {
  const std::string key = ShardPrefix(shard);
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  std::string value;
  const rocksdb::Status read =
      database.db().Get(options, database.handle(ColumnFamily::kShards), key, &value);
  if (read.IsNotFound()) return ShardRecord();
  VETTORE_RETURN_IF_ERROR(FromRocks(read, "read from 'shards'"));
  const absl::StatusOr<ShardRecord> record = DecodeShard(value);
  if (!record.ok()) return DamagedRecord(ColumnFamily::kShards, key, record.status());
  return *record;
}

absl::StatusOr<ShardRecord> OpLog::Current(ShardKey shard) const {
  if (const auto it = staged_.find(shard); it != staged_.end()) return it->second;
  if (const auto it = settled_.find(shard); it != settled_.end()) return it->second;
  return ReadShard(database_, shard, nullptr);
}

absl::Status OpLog::Stage(const std::vector<OpLogEntry>& entries) {
  std::map<ShardKey, ShardRecord> changed;
  for (const OpLogEntry& entry : entries) {
    auto it = changed.find(entry.shard);
    if (it == changed.end()) {
      VETTORE_ASSIGN_OR_RETURN(const ShardRecord current, Current(entry.shard));
      it = changed.emplace(entry.shard, current).first;
    }
    ShardRecord& record = it->second;
    if (entry.position <= record.applied) {
      return absl::FailedPreconditionError(StrCat(
          "collection ", entry.shard.collection, " shard ", entry.shard.shard, ": position {",
          entry.position.epoch, ", ", entry.position.seq, "} is not past the applied one {",
          record.applied.epoch, ", ", record.applied.seq, "}"));
    }
    record.applied = entry.position;
    ++record.op_records;
  }
  for (const auto& [shard, record] : changed) staged_[shard] = record;
  return absl::OkStatus();
}

absl::Status OpLog::AddTo(rocksdb::WriteBatch& batch) {
  for (auto& [shard, record] : staged_) {
    if (record == ShardRecord()) continue;  // Dropped.
    if (record.op_records > max_records_ + max_records_ / 10) {
      VETTORE_RETURN_IF_ERROR(Trim(shard, record, batch));
    }
    VETTORE_RETURN_IF_ERROR(FromRocks(
        batch.Put(database_.handle(ColumnFamily::kShards), ShardPrefix(shard), EncodeShard(record)),
        "put a shard record"));
  }
  return absl::OkStatus();
}

void OpLog::Settle() {
  for (const auto& [shard, record] : staged_) {
    if (record == ShardRecord()) {
      settled_.erase(shard);
    } else {
      settled_[shard] = record;
    }
  }
  staged_.clear();
}

absl::Status OpLog::Trim(ShardKey shard, ShardRecord& record, rocksdb::WriteBatch& batch) const {
  const std::string prefix = ShardPrefix(shard);
  const uint64_t excess = record.op_records - max_records_;
  // From the last trimmed position on: the range tombstones before it need not be walked over.
  Scan scan(database_, ColumnFamily::kOps,
            {.lower = OpsKey(shard, record.trimmed), .upper = PrefixEnd(prefix)});
  uint64_t passed = 0;
  std::string last;
  for (; scan.Valid() && passed < excess; scan.Next()) {
    last = scan.key();
    ++passed;
  }
  VETTORE_RETURN_IF_ERROR(scan.status());
  if (passed == 0) return absl::OkStatus();
  const absl::StatusOr<Position> position = DecodeOpsKey(last, prefix);
  if (!position.ok()) return DamagedRecord(ColumnFamily::kOps, last, position.status());
  record.trimmed = *position;
  record.op_records -= passed;
  return FromRocks(
      batch.DeleteRange(database_.handle(ColumnFamily::kOps), prefix, last + std::string(1, '\0')),
      "trim the op log");
}

}  // namespace vettore
