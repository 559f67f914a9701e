#include "storage/rocks_database.h"

#include <sys/resource.h>

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include "base/exceptions.h"
#include "base/log.h"
#include "base/status.h"
#include "storage/rocks_log.h"
#include "storage/rocks_status.h"

namespace vettore {
namespace {

// Half of the descriptors that the process may have; the other half is for connections and index
// files.
int MaxOpenFiles() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
  return static_cast<int>(std::clamp<rlim_t>(limit.rlim_cur / 2, 64, 16384));
}

rocksdb::DBOptions DatabaseOptions(const RocksDatabase::Options& options, RocksDatabase::Mode mode,
                                   RocksDatabase::LogReading reading) {
  rocksdb::DBOptions db;
  db.env = options.env;
  db.create_if_missing = mode == RocksDatabase::Mode::kCreate;
  db.create_missing_column_families = mode == RocksDatabase::Mode::kCreate;
  db.info_log = std::make_shared<RocksLog>();
  db.max_open_files = MaxOpenFiles();
  // The families are flushed together: after a damaged log each has the same prefix of the commits,
  // and the commit record says how long it is.
  db.atomic_flush = true;
  db.max_background_flushes = 1;
  db.max_background_compactions = 2;
  db.max_total_wal_size = 2 * options.write_buffer_bytes;  // Bounds the replay at open.
  db.wal_recovery_mode = reading == RocksDatabase::LogReading::kTornTailOnly
                             ? rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords
                             : rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  db.track_and_verify_wals_in_manifest = false;
  db.max_bgerror_resume_count = 0;  // After an error the store is reopened, never resumed.
  db.bytes_per_sync = 1 << 20;
  db.advise_random_on_open =
      false;  // Whole families are scanned at start; the kernel reads ahead by itself.
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  return db;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RocksDatabase>> RocksDatabase::Open(const Options& options,
                                                                   Mode mode, LogReading reading) {
  return CatchExceptions(
      "open the database", [&]() -> absl::StatusOr<std::unique_ptr<RocksDatabase>> {
        std::unique_ptr<RocksDatabase> database(new RocksDatabase);
        database->path_ = options.path;
        database->block_cache_ = rocksdb::NewLRUCache(options.block_cache_bytes);
        std::vector<rocksdb::ColumnFamilyDescriptor> families;
        families.reserve(std::size(kColumnFamilies));
        for (const ColumnFamilyRow& row : kColumnFamilies) {
          families.emplace_back(std::string(row.name),
                                OptionsOf(row, options.write_buffer_bytes, database->block_cache_));
        }
        const rocksdb::DBOptions db_options = DatabaseOptions(options, mode, reading);
        std::vector<rocksdb::ColumnFamilyHandle*> handles;
        rocksdb::DB* db = nullptr;
        const rocksdb::Status status =
            mode == Mode::kReadOnly
                ? rocksdb::DB::OpenForReadOnly(db_options, options.path.string(), families,
                                               &handles, &db)
                : rocksdb::DB::Open(db_options, options.path.string(), families, &handles, &db);
        VETTORE_RETURN_IF_ERROR(FromRocks(status, "open the database"));
        database->db_.reset(db);
        std::copy(handles.begin(), handles.end(), database->handles_.begin());
        return database;
      });
}

RocksDatabase::~RocksDatabase() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  const rocksdb::Status closed = db_->Close();
  if (!closed.ok() && !closed.IsNotSupported()) {
    Log(LogLevel::kWarning, "database closed with an error",
        {{"path", path_.string()}, {"error", closed.ToString()}});
  }
}

absl::StatusOr<std::optional<std::string>> RocksDatabase::Get(ColumnFamily family,
                                                              std::string_view key) const {
  std::string value;
  const rocksdb::Status status =
      db_->Get(rocksdb::ReadOptions(), handle(family), ToSlice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  VETTORE_RETURN_IF_ERROR(FromRocks(status, StrCat("read from '", RowOf(family).name, "'")));
  return value;
}

absl::StatusOr<std::optional<CommitRecord>> RocksDatabase::ReadCommit() const {
  VETTORE_ASSIGN_OR_RETURN(const std::optional<std::string> value,
                           Get(ColumnFamily::kStore, kCommitKey));
  if (!value) return std::nullopt;
  const absl::StatusOr<CommitRecord> record = DecodeCommit(*value);
  if (!record.ok()) return DamagedRecord(ColumnFamily::kStore, kCommitKey, record.status());
  return *record;
}

uint64_t RocksDatabase::Property(ColumnFamily family, const std::string& name) const {
  uint64_t value = 0;
  return db_->GetIntProperty(handle(family), name, &value) ? value : 0;
}

uint64_t RocksDatabase::LogBytes() const {
  uint64_t bytes = 0;
  std::error_code error;
  std::filesystem::directory_iterator entry(path_, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() != ".log") continue;
    std::error_code gone;  // A log may be deleted between the two calls.
    const uint64_t size = entry->file_size(gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

uint64_t RocksDatabase::MemoryBytes() const {
  uint64_t bytes = block_cache_->GetUsage();
  for (const ColumnFamilyRow& row : kColumnFamilies) {
    bytes += Property(row.family, rocksdb::DB::Properties::kSizeAllMemTables) +
             Property(row.family, rocksdb::DB::Properties::kEstimateTableReadersMem);
  }
  return bytes;
}

uint64_t RocksDatabase::DiskBytes() const {
  uint64_t bytes = LogBytes();
  for (const ColumnFamilyRow& row : kColumnFamilies) {
    bytes += Property(row.family, rocksdb::DB::Properties::kLiveSstFilesSize) +
             Property(row.family, rocksdb::DB::Properties::kLiveBlobFileSize);
  }
  return bytes;
}

absl::Status RocksDatabase::Flush() const {
  return FromRocks(db_->Flush(rocksdb::FlushOptions(), {handles_.begin(), handles_.end()}),
                   "flush the database");
}

Scan::Scan(const RocksDatabase& database, ColumnFamily family, Range range,
           const rocksdb::Snapshot* snapshot)
    : family_(family), range_(std::move(range)), upper_(ToSlice(range_.upper)) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  options.fill_cache = false;  // A scan must not push out what searches read.
  options.readahead_size = 2 << 20;
  if (!range_.upper.empty()) options.iterate_upper_bound = &upper_;
  iterator_.reset(database.db().NewIterator(options, database.handle(family)));
  iterator_->Seek(ToSlice(range_.lower));
}

std::string_view Scan::key() const { return View(iterator_->key()); }

std::string_view Scan::value() const { return View(iterator_->value()); }

absl::Status Scan::status() const {
  return FromRocks(iterator_->status(), StrCat("scan '", RowOf(family_).name, "'"));
}

absl::Status Scan::Damaged(const absl::Status& why) const {
  return DamagedRecord(family_, key(), why);
}

}  // namespace vettore
