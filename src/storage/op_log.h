// How far each shard is: its applied position and which op-log records are kept.
#pragma once

#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/write_batch.h"
#include "storage/rocks_database.h"

namespace vettore {

// A record of the op log that is about to be committed.
struct OpLogEntry {
  ShardKey shard;
  Position position;
};

// What the shards' records will say once a group of commits is written. Add to it, take the changes
// into the batch, and after the write either Settle or Discard. Externally synchronised. `database`
// must outlive it.
class OpLog {
 public:
  // max_records: kept a shard, up to twice that while an epoch is young; trimmed when there are a
  // tenth more.
  OpLog(const RocksDatabase& database, uint64_t max_records)
      : database_(database), max_records_(max_records) {}

  // The shard's record as stored; all zero for a shard never written.
  static absl::StatusOr<ShardRecord> ReadShard(const RocksDatabase& database, ShardKey shard,
                                               const rocksdb::Snapshot* snapshot);

  // Stages all entries or none. FailedPrecondition when a position is not past its shard's applied
  // one.
  absl::Status Stage(const std::vector<OpLogEntry>& entries);
  // Stages the end of a shard, whose records the batch deletes.
  void StageDrop(ShardKey shard) { staged_[shard] = ShardRecord(); }

  // Adds the staged shard records to `batch`, and the trimming of those that keep too many.
  absl::Status AddTo(rocksdb::WriteBatch& batch);
  void Settle();  // It cannot fail: the batch is written.
  void Discard() { staged_.clear(); }

 private:
  absl::StatusOr<ShardRecord> Current(ShardKey shard) const;
  // Trims `record` to max_records_. Nothing is read: the seqs of an epoch are consecutive, so that
  // the applied position says where the records to keep begin. (Where a seq was left out, fewer are
  // kept.)
  absl::Status Trim(ShardKey shard, ShardRecord& record, rocksdb::WriteBatch& batch) const;

  const RocksDatabase& database_;
  const uint64_t max_records_;
  std::map<ShardKey, ShardRecord> settled_;  // As stored; shards written since the start.
  std::map<ShardKey, ShardRecord> staged_;
};

}  // namespace vettore
