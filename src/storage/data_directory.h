// A data directory as this process owns it: its layout, its lock and its FORMAT file.
#pragma once

#include <filesystem>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/shard_key.h"
#include "storage/uuid.h"

namespace vettore {

// The newest format that this build reads, and the one that it writes.
inline constexpr int kDataFormat = 1;

// Locked for as long as the object lives. The lock is the kernel's and ends with the process: a
// lock file that a dead process left behind never blocks a start. Immutable.
//
//   FORMAT      text: "vettore data directory", then a line each of "format: N", "uuid: ...",
//               "created_by: ..."
//   LOCK        text: "pid N host NAME" of the last owner
//   WATERMARK   see watermark.h
//   rocksdb/    the truth
//   index/      C-S/N/ for vector N of shard S of collection C: what can be made again from the
//               truth
class DataDirectory {
 public:
  // Creates the directory and its FORMAT file when absent. FailedPrecondition: it is not a
  // directory, holds files that are not ours, is open in another process or is of a newer format;
  // PermissionDenied: it cannot be written; ResourceExhausted: the disk is full; DataLoss: FORMAT
  // is damaged or missing beside data.
  static absl::StatusOr<DataDirectory> Acquire(const std::filesystem::path& path);
  // For who only reads: nothing is changed, save that a missing LOCK is made, empty. Others may
  // read at the same time; nobody can Acquire() it, and no owner may have it. NotFound: there is no
  // data directory; and the statuses of Acquire().
  static absl::StatusOr<DataDirectory> AcquireToRead(const std::filesystem::path& path);
  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;
  ~DataDirectory();

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path rocksdb_path() const { return path_ / "rocksdb"; }
  std::filesystem::path watermark_path() const { return path_ / "WATERMARK"; }
  // Of a vector of a shard.
  std::filesystem::path index_folder(ShardKey shard, VectorOrdinal ordinal) const;
  std::filesystem::path shard_folder(ShardKey shard) const;
  const Uuid& uuid() const { return uuid_; }

 private:
  DataDirectory(std::filesystem::path path, int lock_fd)
      : path_(std::move(path)), lock_fd_(lock_fd) {}
  absl::Status ReadFormat();
  absl::Status ReadOrCreateFormat();

  const std::filesystem::path path_;
  int lock_fd_;
  Uuid uuid_;
};

}  // namespace vettore
