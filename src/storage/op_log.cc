#include "storage/op_log.h"

#include <string>
#include <utility>

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
  changed.merge(
      staged_);  // What changed stays as it is. A merge allocates nothing: it cannot fail.
  staged_ = std::move(changed);
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
  for (const auto& [shard, record] : staged_) settled_.erase(shard);
  std::erase_if(staged_, [](const auto& entry) { return entry.second == ShardRecord(); });
  settled_.merge(staged_);
}

absl::Status OpLog::Trim(ShardKey shard, ShardRecord& record, rocksdb::WriteBatch& batch) const {
  // While the current epoch is short, what is to go is of an earlier one, whose last seq is not
  // known here: it goes as a whole once the current epoch fills the log by itself.
  if (record.applied.seq <= max_records_) return absl::OkStatus();
  record.trimmed = {.epoch = record.applied.epoch, .seq = record.applied.seq - max_records_};
  record.op_records = max_records_;
  return FromRocks(batch.DeleteRange(database_.handle(ColumnFamily::kOps), ShardPrefix(shard),
                                     OpsKey(shard, {.epoch = record.trimmed.epoch,
                                                    .seq = record.trimmed.seq + 1})),
                   "trim the op log");
}

}  // namespace vettore
