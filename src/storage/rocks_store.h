// The store of a data directory in RocksDB.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "rocksdb/env.h"
#include "storage/commit_queue.h"
#include "storage/data_directory.h"
#include "storage/failure_latch.h"
#include "storage/log_syncer.h"
#include "storage/recovery.h"
#include "storage/rocks_database.h"
#include "storage/space_reclaimer.h"
#include "storage/store.h"

namespace vettore {

// Thread-safe.
class RocksStore : public Store {
 public:
  // As Store::Open, on the files of `env` (which must outlive the store): so that a test may cut
  // the power.
  static absl::StatusOr<std::unique_ptr<Store>> Open(const StoreOptions& options,
                                                     rocksdb::Env* env);
  ~RocksStore() override;

  absl::StatusOr<std::optional<std::string>> GetMeta(std::string_view key) const override;
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ListMeta(
      std::string_view prefix) const override;
  absl::Status ChangeMeta(std::span<const MetaChange> changes) override
      ABSL_LOCKS_EXCLUDED(meta_mutex_);

  std::unique_ptr<ShardBatch> NewBatch(ShardKey shard) override;
  absl::Status Commit(std::vector<std::unique_ptr<ShardBatch>> batches,
                      Durability durability) override;
  absl::Status DropShard(ShardKey shard) override;
  absl::StatusOr<std::filesystem::path> IndexFolder(ShardKey shard, VectorOrdinal ordinal) override;

  absl::StatusOr<std::vector<std::optional<PointRecord>>> GetPoints(
      ShardKey shard, std::span<const Slot> slots) const override;
  absl::StatusOr<std::vector<std::vector<float>>> GetVectors(
      ShardKey shard, VectorOrdinal ordinal, std::span<const Slot> slots) const override;
  absl::Status ForEachPoint(
      ShardKey shard,
      const std::function<absl::Status(Slot, const PointRecord&)>& visit) const override;
  absl::Status ForEachVector(
      ShardKey shard, VectorOrdinal ordinal,
      const std::function<absl::Status(Slot, std::span<const float>)>& visit) const override;
  absl::Status ForEachProducer(
      ShardKey shard,
      const std::function<absl::Status(std::string_view, const ProducerRecord&)>& visit)
      const override;
  absl::Status ForEachId(ShardKey shard, const PointId* from,
                         const std::function<bool(const PointId&, Slot)>& visit) const override;

  absl::StatusOr<Position> AppliedPosition(ShardKey shard) const override;
  absl::Status ForEachOps(
      ShardKey shard, Position after,
      const std::function<absl::Status(Position, std::span<const Op>)>& visit) const override;
  std::filesystem::path IndexFolderPath(ShardKey shard, VectorOrdinal ordinal) const override;
  Usage GetUsage() const override;

 private:
  RocksStore(DataDirectory directory, RecoveredDatabase recovered, Watermark watermark,
             const StoreOptions& options);

  // The values at the keys; not pinned where there is none.
  absl::StatusOr<std::vector<std::optional<rocksdb::PinnableSlice>>> GetAll(
      ColumnFamily family, std::span<const std::string> keys) const;

  const DataDirectory directory_;  // First: its lock is given back last.
  const std::unique_ptr<RocksDatabase> database_;
  FailureLatch failure_;
  LogSyncer syncer_;
  CommitQueue queue_;
  SpaceReclaimer reclaimer_;

  // Held across the read, compare and commit of a change of metadata: they are rare, and one at a
  // time by design.
  absl::Mutex meta_mutex_;
};

}  // namespace vettore
