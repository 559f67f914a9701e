// The reader of a data directory in RocksDB.
#include <utility>

#include "base/exceptions.h"
#include "base/status.h"
#include "storage/data_directory.h"
#include "storage/record_reads.h"
#include "storage/recovery.h"
#include "storage/store_reader.h"

namespace vettore {
namespace {

constexpr size_t kBlockCacheBytes = 32 << 20;
constexpr size_t kWriteBufferBytes = 64 << 20;

// Thread-safe.
class RocksStoreReader final : public StoreReader {
 public:
  RocksStoreReader(DataDirectory directory, std::unique_ptr<RocksDatabase> database)
      : directory_(std::move(directory)), database_(std::move(database)) {}

  absl::StatusOr<std::optional<std::string>> GetMeta(std::string_view key) const override {
    return ReadMeta(*database_, key);
  }
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ListMeta(
      std::string_view prefix) const override {
    return ReadAllMeta(*database_, prefix);
  }
  absl::StatusOr<Position> AppliedPosition(ShardKey shard) const override {
    return ReadAppliedPosition(*database_, shard);
  }
  absl::Status ForEachOps(
      ShardKey shard, Position after,
      const std::function<absl::Status(Position, std::span<const Op>)>& visit) const override {
    return VisitOps(*database_, {shard, after}, visit);
  }
  std::filesystem::path IndexFolderPath(ShardKey shard, VectorOrdinal ordinal) const override {
    return directory_.index_folder(shard, ordinal);
  }

 private:
  const DataDirectory directory_;  // First: its lock is given back last.
  const std::unique_ptr<RocksDatabase> database_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StoreReader>> StoreReader::Open(
    const std::filesystem::path& data_dir) {
  return CatchExceptions("read the store", [&]() -> absl::StatusOr<std::unique_ptr<StoreReader>> {
    VETTORE_ASSIGN_OR_RETURN(DataDirectory directory, DataDirectory::AcquireToRead(data_dir));
    const RocksDatabase::Options options = {.path = directory.rocksdb_path(),
                                            .block_cache_bytes = kBlockCacheBytes,
                                            .write_buffer_bytes = kWriteBufferBytes,
                                            .env = rocksdb::Env::Default()};
    VETTORE_ASSIGN_OR_RETURN(std::unique_ptr<RocksDatabase> database,
                             OpenDatabaseToRead(directory, options));
    return std::make_unique<RocksStoreReader>(std::move(directory), std::move(database));
  });
}

}  // namespace vettore
