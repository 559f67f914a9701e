// The file in which an index keeps its vectors.
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

// Where the vectors are read.
enum class Residence {
  kMapped,  // In a mapping of the file: the system keeps in memory what is asked for, and gives up
            // the rest when memory is short.
  kMemory,  // In memory, in huge pages. The file is written beside it, and read once when it is
            // opened.
};

// Chunks end to end. They are written by calls, because writing to a mapping on a full disk would
// kill the process. A chunk that the disk does not take is in memory only. The file holds nothing
// that the records do not: it may be lost. Externally synchronised; chunks may be read meanwhile.
class VectorFile final : public ChunkSource {
 public:
  // Begins an empty file. The statuses of ErrnoStatus().
  static absl::StatusOr<std::unique_ptr<VectorFile>> Create(const std::filesystem::path& path,
                                                            Residence residence);
  // Goes on with a file that was begun before: chunks hold what was written to them.
  static absl::StatusOr<std::unique_ptr<VectorFile>> Open(const std::filesystem::path& path,
                                                          Residence residence);
  // The same for who only looks at them, mapped: nothing may be written, and nothing of the file
  // changes.
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
  // Unavailable when the file lacks a chunk.
  absl::Status Check() const;

  Residence residence() const { return residence_; }
  // Of the chunks that are in memory because the file lacks them.
  size_t lacking_bytes() const { return lacking_ * chunk_bytes_; }

 private:
  struct Chunk {
    std::byte* address;
    bool is_on_disk;
  };

  enum class Access { kWrite, kRead };
  VectorFile(std::filesystem::path path, int fd, Access access, Residence residence)
      : path_(std::move(path)), fd_(fd), access_(access), residence_(residence) {}
  // Makes room for a chunk that ends there; false when the disk has none: errno says why.
  bool Extend(size_t end);
  void* MapFromFile(size_t begin);
  // Zero where the file has nothing.
  void* ReadFromFile(size_t begin);
  void* AllocateChunk();
  absl::Status Lose(Chunk& chunk);

  const std::filesystem::path path_;
  const int fd_;
  const Access access_;
  const Residence residence_;
  size_t chunk_bytes_ = 0;
  AnonymousChunks memory_;  // Of kMemory.
  std::vector<Chunk> chunks_;
  std::atomic<size_t> lacking_ = 0;  // Chunks that are not on disk.
};

}  // namespace vettore
