#include "storage/data_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "base/status.h"
#include "base/strings.h"
#include "storage/free_space.h"

namespace vettore {
namespace {

constexpr std::string_view kFormatName = "FORMAT";
constexpr std::string_view kLockName = "LOCK";
constexpr std::string_view kDatabaseName = "rocksdb";
constexpr std::string_view kFormatTitle = "vettore data directory";
constexpr size_t kFormatMaxBytes = 64 << 10;

// What a start that was cut short before FORMAT was written, or the file system, may leave.
constexpr std::array<std::string_view, 4> kHarmlessNames = {kLockName, "FORMAT.tmp", kProbeFileName,
                                                            "lost+found"};

absl::Status CreateDirectory(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    return ErrnoStatus(error ? error.value() : errno, "create the data directory", path);
  }
  if (S_ISDIR(info.st_mode)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      StrCat(path.string(),
             ": the data directory is a file; name a directory, it is created when absent"));
}

// Refuses a directory that was never ours and holds something else, before anything is written into
// it.
absl::Status CheckForeignFiles(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::exists(path / kFormatName, error)) return absl::OkStatus();
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name == kDatabaseName) {
      return absl::DataLossError(StrCat(path.string(), ": holds ", name, " but no ", kFormatName,
                                        " file; restore the directory from a backup"));
    }
    if (std::find(kHarmlessNames.begin(), kHarmlessNames.end(), name) == kHarmlessNames.end()) {
      return absl::FailedPreconditionError(
          StrCat(path.string(), ": not a data directory, and it holds other files ('", name,
                 "'); name an empty or a new directory"));
    }
  }
  if (error) return ErrnoStatus(error.value(), "list", path);
  return absl::OkStatus();
}

std::string OwnerText() {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  return StrCat("pid ", getpid(), " host ", host, "\n");
}

// lock: of those that keep the wanted one out.
absl::Status Refusal(const std::filesystem::path& directory, const struct flock& lock) {
  if (lock.l_type == F_RDLCK) {
    return absl::FailedPreconditionError(
        StrCat(directory.string(),
               ": being read by another process, such as vettore verify; wait "
               "for its end, or name another data directory"));
  }
  const absl::StatusOr<std::string> owner = ReadFile(directory / kLockName, 4096);
  const std::string who =
      owner.ok() ? std::string(absl::StripAsciiWhitespace(*owner)) : std::string();
  return absl::FailedPreconditionError(StrCat(directory.string(), ": in use by another process (",
                                              who.empty() ? "pid unknown" : who,
                                              "); stop it, or name another data directory"));
}

enum class LockKind { kOwner, kReader };

// The descriptor that holds the lock. An open-file-description lock: it also keeps out a second
// open by this process.
absl::StatusOr<int> TakeLock(const std::filesystem::path& directory, LockKind kind) {
  const std::filesystem::path path = directory / kLockName;
  const int access = kind == LockKind::kOwner ? O_RDWR : O_RDONLY;
  const int fd = open(path.c_str(), access | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return ErrnoStatus(errno, "open", path);
  struct flock lock = {};
  lock.l_type = kind == LockKind::kOwner ? F_WRLCK : F_RDLCK;
  lock.l_whence = SEEK_SET;
  if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
    const int error = errno;
    fcntl(fd, F_OFD_GETLK, &lock);  // Whose it is now; a lock given back meanwhile reads as none.
    close(fd);
    if (error == EAGAIN || error == EACCES) return Refusal(directory, lock);
    return ErrnoStatus(error, "lock", path);
  }
  return fd;
}

absl::Status WriteOwner(int fd, const std::filesystem::path& directory) {
  const std::string text = OwnerText();
  if (ftruncate(fd, 0) == 0 && pwrite(fd, text.data(), text.size(), 0) >= 0) {
    return absl::OkStatus();
  }
  return ErrnoStatus(errno, "write", directory / kLockName);
}

std::string FormatText(const Uuid& uuid) {
  return StrCat(kFormatTitle, "\nformat: ", kDataFormat, "\nuuid: ", uuid.ToString(),
                "\ncreated_by: ", VETTORE_VERSION, "\n");
}

// A newer format may have other lines: only the title and the format number are fixed for all
// times.
absl::StatusOr<Uuid> ParseFormat(std::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(AbslView(text), '\n');
  std::map<absl::string_view, absl::string_view> fields;
  for (const absl::string_view line : lines) {
    fields.insert(absl::StrSplit(line, absl::MaxSplits(absl::ByString(": "), 1)));
  }
  int format = 0;
  if (lines[0] != AbslView(kFormatTitle) || !absl::SimpleAtoi(fields["format"], &format) ||
      format < 1) {
    return absl::DataLossError("damaged; restore the data directory from a backup");
  }
  if (format > kDataFormat) {
    return absl::FailedPreconditionError(
        StrCat("the data directory has format ", format, ", this version (", VETTORE_VERSION,
               ") reads up to ", kDataFormat, "; open it with the newer version that wrote it"));
  }
  return Uuid::Parse(StdView(fields["uuid"]));
}

}  // namespace

absl::StatusOr<DataDirectory> DataDirectory::Acquire(const std::filesystem::path& path) {
  VETTORE_RETURN_IF_ERROR(CreateDirectory(path));
  VETTORE_RETURN_IF_ERROR(CheckForeignFiles(path));
  VETTORE_ASSIGN_OR_RETURN(const int lock_fd, TakeLock(path, LockKind::kOwner));
  DataDirectory directory(path, lock_fd);
  VETTORE_RETURN_IF_ERROR(WriteOwner(lock_fd, path));
  VETTORE_RETURN_IF_ERROR(directory.ReadOrCreateFormat());
  return directory;
}

absl::StatusOr<DataDirectory> DataDirectory::AcquireToRead(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path / kFormatName, error)) {
    return absl::NotFoundError(StrCat(path.string(), ": no data directory (it has no ", kFormatName,
                                      " file); name one that vettore serve has made"));
  }
  VETTORE_ASSIGN_OR_RETURN(const int lock_fd, TakeLock(path, LockKind::kReader));
  DataDirectory directory(path, lock_fd);
  VETTORE_RETURN_IF_ERROR(directory.ReadFormat());
  return directory;
}

std::filesystem::path DataDirectory::shard_folder(ShardKey shard) const {
  return path_ / "index" / StrCat(shard.collection, "-", shard.shard);
}

std::filesystem::path DataDirectory::index_folder(ShardKey shard, VectorOrdinal ordinal) const {
  return shard_folder(shard) / StrCat(static_cast<uint16_t>(ordinal));
}

absl::Status DataDirectory::ReadOrCreateFormat() {
  const absl::Status read = ReadFormat();
  if (!absl::IsNotFound(read)) return read;
  VETTORE_RETURN_IF_ERROR(ProbeFreeSpace(path_, 0));
  uuid_ = Uuid::Random();
  return WriteFileAtomically(path_ / kFormatName, FormatText(uuid_));
}

absl::Status DataDirectory::ReadFormat() {
  const std::filesystem::path path = path_ / kFormatName;
  absl::StatusOr<std::string> text = ReadFile(path, kFormatMaxBytes);
  if (absl::IsResourceExhausted(text.status())) text = std::string();  // Far too large: damaged.
  VETTORE_RETURN_IF_ERROR(text.status());
  absl::StatusOr<Uuid> uuid = ParseFormat(*text);
  if (!uuid.ok()) return Annotate(uuid.status(), path.string());
  uuid_ = *uuid;
  return absl::OkStatus();
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(other.path_), lock_fd_(std::exchange(other.lock_fd_, -1)), uuid_(other.uuid_) {}

DataDirectory::~DataDirectory() {
  if (lock_fd_ >= 0) close(lock_fd_);
}

}  // namespace vettore
