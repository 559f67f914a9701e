// Mapping, writing, and what happens on a full disk.
#include "index/rows/vector_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

// Left to the records: vectors can be in memory, they cannot be elsewhere.
constexpr uint64_t kSpareBytes = uint64_t{512} << 20;

void* MapAnonymous(size_t size_bytes) {
  void* const address =
      mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return address == MAP_FAILED ? nullptr : address;
}

// errno says why it failed.
bool WriteAll(int fd, std::span<const std::byte> bytes, size_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(written));
    offset += static_cast<size_t>(written);
  }
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<VectorFile>> VectorFile::Create(const std::filesystem::path& path,
                                                               Residence residence) {
  // Not truncated: whoever still maps the old file keeps it.
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoStatus(errno, "replace", path);
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return ErrnoStatus(errno, "create", path);
  return std::unique_ptr<VectorFile>(new VectorFile(path, fd, Access::kWrite, residence));
}

absl::StatusOr<std::unique_ptr<VectorFile>> VectorFile::Open(const std::filesystem::path& path,
                                                             Residence residence) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "open", path);
  return std::unique_ptr<VectorFile>(new VectorFile(path, fd, Access::kWrite, residence));
}

absl::StatusOr<std::unique_ptr<VectorFile>> VectorFile::OpenToRead(
    const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "open", path);
  return std::unique_ptr<VectorFile>(new VectorFile(path, fd, Access::kRead, Residence::kMapped));
}

VectorFile::~VectorFile() {
  if (residence_ == Residence::kMapped) {
    for (const Chunk& chunk : chunks_) munmap(chunk.address, chunk_bytes_);
  }
  close(fd_);
}

void* VectorFile::Map(size_t size_bytes) {
  chunk_bytes_ = size_bytes;
  const size_t begin = chunks_.size() * size_bytes;
  const bool is_on_disk = Extend(begin + size_bytes);
  void* address = nullptr;
  if (is_on_disk) {
    address = residence_ == Residence::kMapped ? MapFromFile(begin) : ReadFromFile(begin);
  }
  const bool is_lacking = address == nullptr;
  if (is_lacking) {
    Log(LogLevel::kWarning, "vectors are kept in memory only",
        {{"file", path_.string()}, {"reason", std::strerror(errno)}});
    address = AllocateChunk();
    if (address == nullptr) return nullptr;
    ++lacking_;
  }
  chunks_.push_back({static_cast<std::byte*>(address), !is_lacking});
  return address;
}

void* VectorFile::AllocateChunk() {
  return residence_ == Residence::kMapped ? MapAnonymous(chunk_bytes_) : memory_.Map(chunk_bytes_);
}

// The disk space is taken by what is written: a small collection takes little.
bool VectorFile::Extend(size_t end) {
  struct stat info;
  if (fstat(fd_, &info) != 0) return false;
  if (static_cast<size_t>(info.st_size) >= end || access_ == Access::kRead) return true;
  struct statvfs disk;
  if (fstatvfs(fd_, &disk) == 0 && disk.f_bavail * disk.f_frsize < chunk_bytes_ + kSpareBytes) {
    errno = ENOSPC;
    return false;
  }
  // What is only written, and read up to its end, needs no length of its own.
  return residence_ == Residence::kMemory || ftruncate(fd_, static_cast<off_t>(end)) == 0;
}

void* VectorFile::MapFromFile(size_t begin) {
  struct stat info;
  if (fstat(fd_, &info) != 0) return nullptr;
  // Only of a file that was cut off and may not be extended: past its end a mapping cannot be read.
  if (static_cast<size_t>(info.st_size) < begin + chunk_bytes_) return ReadFromFile(begin);
  void* const address =
      mmap(nullptr, chunk_bytes_, PROT_READ, MAP_SHARED, fd_, static_cast<off_t>(begin));
  return address == MAP_FAILED ? nullptr : address;
}

void* VectorFile::ReadFromFile(size_t begin) {
  void* const address = AllocateChunk();
  if (address == nullptr) return nullptr;
  for (size_t done = 0; done < chunk_bytes_;) {
    const ssize_t got = pread(fd_, static_cast<std::byte*>(address) + done, chunk_bytes_ - done,
                              static_cast<off_t>(begin + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  return address;
}

absl::Status VectorFile::Write(size_t offset_bytes, std::span<const float> values) {
  Chunk& chunk = chunks_[offset_bytes / chunk_bytes_];
  const std::span<const std::byte> bytes = std::as_bytes(values);
  if (chunk.is_on_disk && !WriteAll(fd_, bytes, offset_bytes)) {
    Log(LogLevel::kWarning, "vectors are kept in memory only",
        {{"file", path_.string()}, {"reason", std::strerror(errno)}});
    VETTORE_RETURN_IF_ERROR(Lose(chunk));
  }
  if (chunk.is_on_disk && residence_ == Residence::kMapped) return absl::OkStatus();
  std::memcpy(chunk.address + offset_bytes % chunk_bytes_, bytes.data(), bytes.size());
  return absl::OkStatus();
}

absl::Status VectorFile::Check() const {
  if (lacking_ == 0) return absl::OkStatus();
  return absl::UnavailableError(StrCat(path_.string(), ": the disk did not take all vectors"));
}

absl::Status VectorFile::Sync() const {
  VETTORE_RETURN_IF_ERROR(Check());
  if (fdatasync(fd_) != 0) return ErrnoStatus(errno, "fdatasync", path_);
  return absl::OkStatus();
}

// The chunk is in memory only from now on. One call puts a copy in the place of a mapping: who
// reads meanwhile finds the same bytes before and after it.
absl::Status VectorFile::Lose(Chunk& chunk) {
  if (residence_ == Residence::kMapped) {
    void* const copy = MapAnonymous(chunk_bytes_);
    if (copy == nullptr) {
      return absl::ResourceExhaustedError(
          StrCat("vector index: ", path_.string(), " takes no more, and there is no memory for ",
                 chunk_bytes_, " bytes; free disk space or memory"));
    }
    std::memcpy(copy, chunk.address, chunk_bytes_);
    if (mremap(copy, chunk_bytes_, chunk_bytes_, MREMAP_MAYMOVE | MREMAP_FIXED, chunk.address) ==
        MAP_FAILED) {
      const int error = errno;
      munmap(copy, chunk_bytes_);
      return absl::ResourceExhaustedError(StrCat("vector index: cannot move ", path_.string(),
                                                 " to memory: ", std::strerror(error)));
    }
  }
  chunk.is_on_disk = false;
  ++lacking_;
  return absl::OkStatus();
}

}  // namespace vettore
