// The WATERMARK file: the last commit that is known to be durable, by which the loss of
// acknowledged writes is seen.
//
//   file    = record, zeros to offset 4096, record
//   record  = "VTTRMARK", format u32 = 1, 0 u32, uuid 16 bytes, commit number u64, 16 zero bytes,
//   XXH3-64 u64 of the
//             56 bytes before it; integers little-endian; 64 bytes
//
// The records are written in turn, so that a torn write leaves the one before.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/uuid.h"

namespace vettore {

// Externally synchronised.
class Watermark {
 public:
  // The highest number of a whole record; nullopt when there is no file. DataLoss when neither
  // record is whole or they are of another data directory.
  static absl::StatusOr<std::optional<uint64_t>> Read(const std::filesystem::path& path,
                                                      const Uuid& store);

  // Replaces the file by one that says `number`, and keeps it open.
  static absl::StatusOr<Watermark> Create(const std::filesystem::path& path, const Uuid& store,
                                          uint64_t number);
  Watermark(Watermark&& other) noexcept;
  Watermark& operator=(Watermark&&) = delete;
  ~Watermark();

  // Returns once the disk has it. The file does not grow: there is always space.
  absl::Status Write(uint64_t number);

 private:
  Watermark(std::filesystem::path path, const Uuid& store, int fd)
      : path_(std::move(path)), store_(store), fd_(fd) {}

  const std::filesystem::path path_;
  const Uuid store_;
  int fd_;
  int next_record_ = 1;
};

}  // namespace vettore
