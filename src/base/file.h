// Whole-file input and output for small files, and read-only mapping for large ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace vettore {

// Reads a whole file of at most `max_bytes`. NotFound, PermissionDenied, ResourceExhausted
// (larger).
absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path, size_t max_bytes);

// Replaces `path` with `contents` so that a crash leaves the old file or the new one, whole:
// temporary name, fsync, rename, fsync of the directory.
absl::Status WriteFileAtomically(const std::filesystem::path& path, std::string_view contents);

// Writes all of `contents` to an open file, however many calls it takes. `path` is for the words of
// the status, which is ErrnoStatus()'s.
absl::Status WriteToEnd(int fd, std::string_view contents, const std::filesystem::path& path);

// Makes the names in a directory durable. The statuses of ErrnoStatus().
absl::Status SyncDirectory(const std::filesystem::path& directory);

// The status of a failed system call on `path`: NotFound, PermissionDenied, ResourceExhausted (no
// space), else Unavailable; the message holds what was tried and the system's words.
absl::Status ErrnoStatus(int error, std::string_view action, const std::filesystem::path& path);

// A file mapped read-only. Immutable, movable.
class MappedFile {
 public:
  static absl::StatusOr<MappedFile> Open(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  MappedFile(const std::byte* data, size_t size) : data_(data), size_(size) {}
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace vettore
