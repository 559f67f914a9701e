#include "storage/free_space.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/status/statusor.h"
#include "base/file.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

constexpr uint64_t kProbeBytes = 4 << 20;
constexpr std::chrono::milliseconds kAskEvery{100};

// What an unprivileged process may still use, also when we run as root: the rest is root's for
// repairs.
absl::StatusOr<uint64_t> FreeBytes(const std::filesystem::path& directory) {
  struct statvfs info;
  if (statvfs(directory.c_str(), &info) != 0) {
    return ErrnoStatus(errno, "ask the free space of", directory);
  }
  return uint64_t{info.f_bavail} * info.f_frsize;
}

absl::Status WriteProbe(int fd, const std::filesystem::path& path) {
  const std::string block(1 << 20, '\x5A');
  for (uint64_t written = 0; written < kProbeBytes;) {
    const ssize_t got =
        write(fd, block.data(), std::min<uint64_t>(block.size(), kProbeBytes - written));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "write", path);
    written += static_cast<uint64_t>(got);
  }
  if (fsync(fd) != 0) return ErrnoStatus(errno, "fsync", path);
  return absl::OkStatus();
}

}  // namespace

absl::Status ProbeFreeSpace(const std::filesystem::path& directory, uint64_t needed_bytes) {
  VETTORE_ASSIGN_OR_RETURN(const uint64_t free_bytes, FreeBytes(directory));
  const uint64_t wanted = std::max(needed_bytes, kProbeBytes);
  if (free_bytes < wanted) {
    return absl::ResourceExhaustedError(
        StrCat(directory.string(), ": the disk is full: opening needs ", wanted,
               " free bytes, there are ", free_bytes, "; free some space and start again"));
  }
  const std::filesystem::path path = directory / kProbeFileName;
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return ErrnoStatus(errno, "create", path);
  const absl::Cleanup remove_file = [fd, &path] {
    close(fd);
    unlink(path.c_str());
  };
  absl::Status written = WriteProbe(fd, path);
  if (absl::IsResourceExhausted(written)) {
    return absl::ResourceExhaustedError(StrCat(
        written.message(), ": the disk or the quota is full; free some space and start again"));
  }
  return written;
}

absl::Status FreeSpaceGuard::Admit(uint64_t bytes, SpaceNeed need) {
  const auto now = std::chrono::steady_clock::now();
  if (asked_at_ == std::chrono::steady_clock::time_point::min() || now - asked_at_ >= kAskEvery ||
      admitted_bytes_ + bytes > reserve_bytes_ / 4) {
    VETTORE_ASSIGN_OR_RETURN(free_bytes_, FreeBytes(directory_));
    asked_at_ = now;
    admitted_bytes_ = 0;
  }
  const uint64_t keep = need == SpaceNeed::kData ? reserve_bytes_ : reserve_bytes_ / 4;
  if (free_bytes_ < keep + admitted_bytes_ + bytes) {
    return absl::ResourceExhaustedError(
        StrCat(directory_.string(), ": the disk is nearly full: ", free_bytes_ >> 20,
               " MB are free, a write of ", bytes, " bytes must leave ", keep >> 20,
               " MB free; free some space, then writes are accepted again"));
  }
  admitted_bytes_ += bytes;
  return absl::OkStatus();
}

}  // namespace vettore
