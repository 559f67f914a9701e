// Opens the database of a data directory and proves that it holds every write that was acknowledged
// as durable.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "storage/data_directory.h"
#include "storage/rocks_database.h"

namespace vettore {

enum class OnLoss { kRefuse, kAccept };

struct RecoveredDatabase {
  std::unique_ptr<RocksDatabase> database;
  CommitRecord commit;  // The last commit that is there.
};

// Creates the database when the directory is new. An existing one is first opened read-only, so
// that a refusal has changed nothing and the damaged files can still be looked at. DataLoss, unless
// `on_loss` accepts it: the log is damaged before its end, or the last commit there is behind the
// watermark. ResourceExhausted: not enough space to write out what the log holds.
absl::StatusOr<RecoveredDatabase> RecoverDatabase(const DataDirectory& directory,
                                                  const RocksDatabase::Options& options,
                                                  OnLoss on_loss);

// The same database as RecoverDatabase() would open, opened read-only: nothing changes. A database
// that is not there yet is a loss: DataLoss.
absl::StatusOr<std::unique_ptr<RocksDatabase>> OpenDatabaseToRead(
    const DataDirectory& directory, const RocksDatabase::Options& options);

}  // namespace vettore
