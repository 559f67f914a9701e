// The file in which an index keeps the vectors that it measures again.
#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "index/rows/chunk_source.h"

namespace vettore {

// Chunks end to end. They are read through a mapping, so that the system keeps in memory what is
// asked for and gives up the rest when memory is short; they are written by calls, because writing
// to a mapping on a full disk would kill the process. A chunk that the disk does not take moves to
// memory. The file holds nothing that the records do not: it may be lost. Externally synchronised;
// mapped chunks may be read meanwhile.
class VectorFile final : public ChunkSource {
 public:
  // Begins an empty file. The statuses of ErrnoStatus().
  static absl::StatusOr<std::unique_ptr<VectorFile>> Create(const std::filesystem::path& path);
  // Goes on with a file that was begun before: chunks hold what was written to them.
  static absl::StatusOr<std::unique_ptr<VectorFile>> Open(const std::filesystem::path& path);
  // The same for who only looks at them: nothing may be written, and nothing of the file changes.
  static absl::StatusOr<std::unique_ptr<VectorFile>> OpenToRead(const std::filesystem::path& path);
  ~VectorFile() override;
  VectorFile(const VectorFile&) = delete;
  VectorFile& operator=(const VectorFile&) = delete;

  void* Map(size_t size_bytes) override;
  // At `offset_bytes` of the chunks, within one that is mapped. ResourceExhausted when neither disk
  // nor memory takes them.
  absl::Status Write(size_t offset_bytes, std::span<const float> values);

  // What was written survives a power cut from now on. As Check(), and the statuses of
  // ErrnoStatus(). Thread-safe with Write(), and so is Check().
  absl::Status Sync() const;
  // Unavailable when a chunk is in memory instead.
  absl::Status Check() const;

  // Of the chunks that moved to memory.
  size_t memory_bytes() const { return chunks_in_memory_ * chunk_bytes_; }

 private:
  struct Chunk {
    std::byte* address;
    bool is_in_memory;
  };

  enum class Access { kWrite, kRead };
  VectorFile(std::filesystem::path path, int fd, Access access)
      : path_(std::move(path)), fd_(fd), access_(access) {}
  void* MapFromFile(size_t size_bytes);
  // A chunk that a file which was cut off has only a part of; the rest is zero.
  void* CopyFromFile(size_t begin, size_t size_bytes);
  absl::Status MoveToMemory(Chunk& chunk);

  const std::filesystem::path path_;
  const int fd_;
  const Access access_;
  size_t chunk_bytes_ = 0;
  std::vector<Chunk> chunks_;
  std::atomic<size_t> chunks_in_memory_ = 0;
};

}  // namespace vettore
