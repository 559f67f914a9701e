#include "storage/recovery.h"

#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "storage/free_space.h"
#include "storage/rocks_status.h"
#include "storage/watermark.h"

namespace vettore {
namespace {

using LogReading = RocksDatabase::LogReading;
using Mode = RocksDatabase::Mode;

constexpr std::string_view kHowToAccept =
    "restore the directory from a backup, or start with --accept-data-loss to go on with what is "
    "left";

struct DirectoryFiles {
  bool has_current = false;
  bool has_data = false;  // Tables, blobs or a log that is not empty.
  uint64_t log_bytes = 0;
};

absl::StatusOr<DirectoryFiles> ListFiles(const std::filesystem::path& path) {
  DirectoryFiles files;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return files;
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string extension = entry->path().extension().string();
    if (entry->path().filename() == "CURRENT") files.has_current = true;
    if (extension == ".sst" || extension == ".blob") files.has_data = true;
    if (extension == ".log") files.log_bytes += entry->file_size(error);
  }
  if (error) {
    return absl::UnavailableError(StrCat("cannot list ", path.string(), ": ", error.message()));
  }
  files.has_data |= files.log_bytes > 0;
  return files;
}

// The last commit that a read-only open shows.
absl::StatusOr<CommitRecord> Peek(const RocksDatabase::Options& options, LogReading reading) {
  VETTORE_ASSIGN_OR_RETURN(const std::unique_ptr<RocksDatabase> database,
                           RocksDatabase::Open(options, Mode::kReadOnly, reading));
  VETTORE_ASSIGN_OR_RETURN(const std::optional<CommitRecord> commit, database->ReadCommit());
  if (!commit) return absl::DataLossError("its commit record is missing");
  return *commit;
}

absl::Status WriteCommit(const RocksDatabase& database, const CommitRecord& commit) {
  rocksdb::WriteOptions write;
  write.sync = true;
  return FromRocks(database.db().Put(write, database.handle(ColumnFamily::kStore),
                                     ToSlice(kCommitKey), EncodeCommit(commit)),
                   "write the commit record");
}

absl::StatusOr<RecoveredDatabase> CreateDatabase(const DataDirectory& directory,
                                                 const RocksDatabase::Options& options) {
  if (std::error_code error; !std::filesystem::create_directories(options.path, error) && error) {
    return ErrnoStatus(error.value(), "create", options.path);
  }
  RecoveredDatabase created;
  created.commit.store = directory.uuid();
  VETTORE_ASSIGN_OR_RETURN(created.database,
                           RocksDatabase::Open(options, Mode::kCreate, LogReading::kUpToDamage));
  VETTORE_RETURN_IF_ERROR(WriteCommit(*created.database, created.commit));
  return created;
}

// What is wrong with a recovered state, if anything.
absl::Status CheckComplete(const CommitRecord& commit, const DataDirectory& directory,
                           const absl::StatusOr<std::optional<uint64_t>>& watermark) {
  VETTORE_RETURN_IF_ERROR(watermark.status());
  if (commit.store != directory.uuid()) {
    return absl::DataLossError(StrCat("the database belongs to the data directory ",
                                      commit.store.ToString(), ", this one is ",
                                      directory.uuid().ToString()));
  }
  if (!watermark->has_value() && commit.number > 0) {
    return absl::DataLossError("WATERMARK is missing: it is not known whether writes are missing");
  }
  if (commit.number < watermark->value_or(0)) {
    return absl::DataLossError(StrCat("acknowledged writes are missing: commit ",
                                      watermark->value_or(0),
                                      " was durable, the last one there is ", commit.number));
  }
  return absl::OkStatus();
}

// How the log is to be read so that everything acknowledged is there; or the refusal.
absl::StatusOr<LogReading> ChooseLogReading(const DataDirectory& directory,
                                            const RocksDatabase::Options& options, OnLoss on_loss) {
  const absl::StatusOr<std::optional<uint64_t>> watermark =
      Watermark::Read(directory.watermark_path(), directory.uuid());
  LogReading reading = LogReading::kTornTailOnly;
  absl::StatusOr<CommitRecord> commit = Peek(options, reading);
  const absl::Status damage = commit.status();
  if (absl::IsDataLoss(damage)) {
    // A power cut leaves gaps in what was not yet synced. What was, is below the watermark, save
    // for the last 100 ms before the cut, in which damage to synced bytes looks the same.
    reading = LogReading::kUpToDamage;
    commit = Peek(options, reading);
  }
  VETTORE_RETURN_IF_ERROR(commit.status());
  absl::Status complete = CheckComplete(*commit, directory, watermark);
  if (complete.ok()) {
    if (!damage.ok()) {
      Log(LogLevel::kWarning, "write-ahead log damaged past the watermark",
          {{"last_commit", commit->number}, {"error", damage.message()}});
    }
    return reading;
  }
  if (!damage.ok()) complete = Annotate(complete, StdView(damage.message()));
  if (on_loss == OnLoss::kRefuse) return complete;
  Log(LogLevel::kError, "opened with data loss accepted",
      {{"last_commit", commit->number}, {"error", complete.message()}});
  return reading;
}

absl::StatusOr<std::unique_ptr<RocksDatabase>> OpenToRead(const DataDirectory& directory,
                                                          const RocksDatabase::Options& options) {
  VETTORE_ASSIGN_OR_RETURN(const LogReading reading,
                           ChooseLogReading(directory, options, OnLoss::kRefuse));
  return RocksDatabase::Open(options, Mode::kReadOnly, reading);
}

absl::StatusOr<RecoveredDatabase> Recover(const DataDirectory& directory,
                                          const RocksDatabase::Options& options, OnLoss on_loss) {
  VETTORE_ASSIGN_OR_RETURN(const DirectoryFiles files, ListFiles(options.path));
  // What the log holds is written out at open.
  VETTORE_RETURN_IF_ERROR(ProbeFreeSpace(directory.path(), (8 << 20) + files.log_bytes));
  std::error_code error;
  const bool was_open = std::filesystem::exists(directory.watermark_path(), error);
  if (!files.has_current) {
    if (!was_open && !files.has_data) return CreateDatabase(directory, options);
    return absl::DataLossError("rocksdb/CURRENT is missing; restore the directory from a backup");
  }
  // The watermark is written once the database stands: without one, creation may have been cut
  // short.
  const absl::StatusOr<LogReading> reading = ChooseLogReading(directory, options, on_loss);
  if (!reading.ok() && !was_open && !files.has_data) return CreateDatabase(directory, options);
  if (absl::IsDataLoss(reading.status())) {
    return absl::DataLossError(StrCat(reading.status().message(), "; ", kHowToAccept));
  }
  VETTORE_RETURN_IF_ERROR(reading.status());
  RecoveredDatabase recovered;
  VETTORE_ASSIGN_OR_RETURN(recovered.database,
                           RocksDatabase::Open(options, Mode::kReadWrite, *reading));
  VETTORE_ASSIGN_OR_RETURN(const std::optional<CommitRecord> commit,
                           recovered.database->ReadCommit());
  if (!commit) return absl::DataLossError("its commit record is missing");
  recovered.commit = {.store = directory.uuid(), .number = commit->number};
  if (recovered.commit != *commit) {  // The loss of this directory's own database was accepted.
    VETTORE_RETURN_IF_ERROR(WriteCommit(*recovered.database, recovered.commit));
  }
  return recovered;
}

}  // namespace

absl::StatusOr<RecoveredDatabase> RecoverDatabase(const DataDirectory& directory,
                                                  const RocksDatabase::Options& options,
                                                  OnLoss on_loss) {
  absl::StatusOr<RecoveredDatabase> recovered = Recover(directory, options, on_loss);
  if (!recovered.ok()) return Annotate(recovered.status(), directory.path().string());
  return recovered;
}

absl::StatusOr<std::unique_ptr<RocksDatabase>> OpenDatabaseToRead(
    const DataDirectory& directory, const RocksDatabase::Options& options) {
  auto database = OpenToRead(directory, options);
  if (!database.ok()) return Annotate(database.status(), directory.path().string());
  return database;
}

}  // namespace vettore
