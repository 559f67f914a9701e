// An open RocksDB with its column families, and how it is opened so that no loss stays unseen.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "storage/column_families.h"
#include "storage/record_codec.h"

namespace vettore {

// Thread-safe, as RocksDB is. No iterator or snapshot may outlive it.
class RocksDatabase {
 public:
  struct Options {
    std::filesystem::path path;
    size_t block_cache_bytes = 0;
    size_t write_buffer_bytes = 0;
    rocksdb::Env* env = nullptr;  // Must outlive the database.
  };
  enum class Mode { kCreate, kReadWrite, kReadOnly };
  // How the write-ahead log is read: up to a torn tail, everything else being an error, or up to
  // the first damage.
  enum class LogReading { kTornTailOnly, kUpToDamage };

  static absl::StatusOr<std::unique_ptr<RocksDatabase>> Open(const Options& options, Mode mode,
                                                             LogReading reading);
  ~RocksDatabase();

  RocksDatabase(const RocksDatabase&) = delete;
  RocksDatabase& operator=(const RocksDatabase&) = delete;

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* handle(ColumnFamily family) const {
    return handles_[static_cast<size_t>(family)];
  }

  // nullopt when absent.
  absl::StatusOr<std::optional<std::string>> Get(ColumnFamily family, std::string_view key) const;
  // nullopt in a database that was never committed to. DataLoss when it is damaged.
  absl::StatusOr<std::optional<CommitRecord>> ReadCommit() const;
  // Of the write-ahead log files.
  uint64_t LogBytes() const;
  uint64_t MemoryBytes() const;
  // Of live table, blob and log files.
  uint64_t DiskBytes() const;
  // Writes out what is held in memory.
  absl::Status Flush() const;

 private:
  RocksDatabase() = default;
  uint64_t Property(ColumnFamily family, const std::string& name) const;

  std::filesystem::path path_;
  std::shared_ptr<rocksdb::Cache> block_cache_;
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kColumnFamilies.size()> handles_{};
};

// The records of a family with keys from `lower` up to, not including, `upper` (empty: to the end),
// by key, as they stand at construction. Externally synchronised.
class Scan {
 public:
  struct Range {
    std::string lower;
    std::string upper;
  };
  static Range PrefixRange(std::string_view prefix) {
    return {.lower = std::string(prefix), .upper = PrefixEnd(prefix)};
  }

  // `snapshot` may be null.
  Scan(const RocksDatabase& database, ColumnFamily family, Range range,
       const rocksdb::Snapshot* snapshot = nullptr);
  Scan(const Scan&) = delete;
  Scan& operator=(const Scan&) = delete;

  bool Valid() const { return iterator_->Valid(); }
  void Next() { iterator_->Next(); }
  std::string_view key() const;
  std::string_view value() const;
  // To be asked once Valid() is false: whether the end was reached.
  absl::Status status() const;
  // DataLoss that names the current record.
  absl::Status Damaged(const absl::Status& why) const;

 private:
  const ColumnFamily family_;
  const Range range_;
  const rocksdb::Slice upper_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

}  // namespace vettore
