#include "storage/rocks_store.h"

#include <system_error>
#include <utility>

#include "absl/strings/escaping.h"
#include "base/exceptions.h"
#include "base/file.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "storage/free_space.h"
#include "storage/rocks_status.h"
#include "storage/shard_batch.h"

namespace vettore {
namespace {

// Below it a log is quickly replayed, and flushing it at every close would leave many small files.
constexpr uint64_t kFlushAtCloseBytes = 4 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const StoreOptions& options) {
  return RocksStore::Open(options, rocksdb::Env::Default());
}

absl::StatusOr<std::unique_ptr<Store>> RocksStore::Open(const StoreOptions& options,
                                                        rocksdb::Env* env) {
  return CatchExceptions("open the store", [&]() -> absl::StatusOr<std::unique_ptr<Store>> {
    VETTORE_ASSIGN_OR_RETURN(DataDirectory directory, DataDirectory::Acquire(options.data_dir));
    const RocksDatabase::Options database_options = {
        .path = directory.rocksdb_path(),
        .block_cache_bytes = options.block_cache_bytes,
        .write_buffer_bytes = options.write_buffer_bytes,
        .env = env,
    };
    VETTORE_ASSIGN_OR_RETURN(
        RecoveredDatabase recovered,
        RecoverDatabase(directory, database_options,
                        options.accept_data_loss ? OnLoss::kAccept : OnLoss::kRefuse));
    VETTORE_RETURN_IF_ERROR(FromRocks(recovered.database->db().SyncWAL(), "sync the log"));
    VETTORE_ASSIGN_OR_RETURN(
        Watermark watermark,
        Watermark::Create(directory.watermark_path(), directory.uuid(), recovered.commit.number));
    return std::unique_ptr<Store>(
        new RocksStore(std::move(directory), std::move(recovered), std::move(watermark), options));
  });
}

RocksStore::RocksStore(DataDirectory directory, RecoveredDatabase recovered, Watermark watermark,
                       const StoreOptions& options)
    : directory_(std::move(directory)),
      database_(std::move(recovered.database)),
      syncer_({.sync_log = [this] { return queue_.SyncLog(); },
               .committed = recovered.commit.number,
               .failure = &failure_},
              std::move(watermark)),
      queue_({.database = database_.get(),
              .syncer = &syncer_,
              .failure = &failure_,
              .last = recovered.commit,
              .max_op_records = options.max_op_records,
              .guard = FreeSpaceGuard(directory_.path(), options.min_free_bytes)}),
      reclaimer_(*database_) {}

RocksStore::~RocksStore() {
  syncer_.Stop();  // Its last sync goes through the queue, which ends before it.
  if (!failure_.Check().ok() || database_->LogBytes() < kFlushAtCloseBytes) return;
  // So that the next start has no log to replay. When it fails nothing is lost: the log is still
  // there.
  const absl::Status flushed =
      CatchExceptions("flush the database", [this] { return database_->Flush(); });
  if (!flushed.ok()) {
    Log(LogLevel::kWarning, "data not flushed at close",
        {{"data_dir", directory_.path().string()}, {"error", flushed.ToString()}});
  }
}

absl::Status RocksStore::ChangeMeta(std::span<const MetaChange> changes) {
  absl::MutexLock lock(&meta_mutex_);
  rocksdb::WriteBatch records;
  rocksdb::ColumnFamilyHandle* const meta = database_->handle(ColumnFamily::kMeta);
  for (const MetaChange& change : changes) {
    VETTORE_ASSIGN_OR_RETURN(const std::optional<std::string> found, GetMeta(change.key));
    if (found != change.expected) {
      return absl::AbortedError(
          StrCat("metadata '", absl::CHexEscape(change.key), "': ",
                 change.expected ? (found ? "changed by someone else" : "deleted by someone else")
                                 : "exists already"));
    }
    VETTORE_RETURN_IF_ERROR(FromRocks(change.value
                                          ? records.Put(meta, change.key, EncodeMeta(*change.value))
                                          : records.Delete(meta, change.key),
                                      "change metadata"));
  }
  return queue_.Commit({.records = {&records}, .need = SpaceNeed::kControl});
}

std::unique_ptr<ShardBatch> RocksStore::NewBatch(ShardKey shard) {
  return std::make_unique<RocksShardBatch>(*database_, shard);
}

absl::Status RocksStore::Commit(std::vector<std::unique_ptr<ShardBatch>> batches,
                                Durability durability) {
  CommitRequest request = {.durability = durability};
  for (const std::unique_ptr<ShardBatch>& batch : batches) {
    auto& ours = static_cast<RocksShardBatch&>(*batch);  // NewBatch makes no other.
    request.records.push_back(&ours.records());
    if (ours.position()) {
      request.op_log.push_back({.shard = ours.shard(), .position = *ours.position()});
    }
  }
  return queue_.Commit(std::move(request));
}

absl::Status RocksStore::DropShard(ShardKey shard) {
  const std::string begin = ShardPrefix(shard);
  const std::string end = PrefixEnd(begin);
  VETTORE_CHECK(!end.empty());  // The last collection id of all is never given out.
  rocksdb::WriteBatch records;
  for (const ColumnFamilyRow& row : kColumnFamilies) {
    if (!row.by_shard) continue;
    VETTORE_RETURN_IF_ERROR(
        FromRocks(records.DeleteRange(database_->handle(row.family), begin, end), "drop a shard"));
  }
  VETTORE_RETURN_IF_ERROR(
      queue_.Commit({.records = {&records}, .dropped_shard = shard, .need = SpaceNeed::kControl}));
  reclaimer_.Reclaim(shard);
  std::error_code error;
  const std::filesystem::path folder = directory_.shard_folder(shard);
  std::filesystem::remove_all(folder, error);
  if (error) return ErrnoStatus(error.value(), "remove", folder);
  return absl::OkStatus();
}

absl::StatusOr<std::filesystem::path> RocksStore::IndexFolder(ShardKey shard,
                                                              VectorOrdinal ordinal) {
  std::filesystem::path folder = IndexFolderPath(shard, ordinal);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return ErrnoStatus(error.value(), "create", folder);
  return folder;
}

Store::Usage RocksStore::GetUsage() const {
  return {.disk_bytes = database_->DiskBytes(), .memory_bytes = database_->MemoryBytes()};
}

}  // namespace vettore
