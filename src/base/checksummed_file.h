// A file that is written once, front to back, and read back only if every byte is as it was.
//
//   file   title block* end
//   title  16 bytes, chosen by the writer: what it is, and its format version
//   block  u32 size (1 to 1 MiB), u32 0, u64 XXH3-64 of the bytes, then the bytes
//   end    u32 0, u32 0, u64 XXH3-64 of the hashes of all blocks, end to end: the hash of the file
//
// Numbers are little endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file.h"

namespace vettore {

// What is written appears only with Finish(). After an error every further call returns it.
// Externally synchronised.
class ChecksummedWriter {
 public:
  // title: 16 bytes. The statuses of ErrnoStatus(), as below.
  static absl::StatusOr<ChecksummedWriter> Create(const std::filesystem::path& path,
                                                  std::string_view title);
  ChecksummedWriter(ChecksummedWriter&& other) noexcept;
  ChecksummedWriter& operator=(ChecksummedWriter&&) = delete;
  ~ChecksummedWriter();  // An unfinished file is removed.

  absl::Status Write(std::span<const std::byte> bytes);
  template <typename T>
  absl::Status WriteAll(std::span<const T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    return Write(std::as_bytes(values));
  }
  template <typename T>
  absl::Status WriteOne(const T& value) {
    return WriteAll(std::span<const T>(&value, 1));
  }

  // Closes the file, makes it and its name durable, and returns its hash.
  absl::StatusOr<uint64_t> Finish();

 private:
  ChecksummedWriter(std::filesystem::path path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::filesystem::path temporary() const { return path_.string() + ".tmp"; }
  absl::Status WriteBlock();
  absl::Status WriteRaw(std::string_view bytes);

  std::filesystem::path path_;
  int fd_ = -1;
  std::string block_ = {};
  std::string hashes_ = {};
  absl::Status status_ = absl::OkStatus();
};

// Externally synchronised, movable.
class ChecksummedReader {
 public:
  // Maps the file and checks its frame, but not yet its blocks. DataLoss: it has another title or
  // no end. The statuses of ErrnoStatus().
  static absl::StatusOr<ChecksummedReader> Open(const std::filesystem::path& path,
                                                std::string_view title);

  // Of the file, as Finish() returned it.
  uint64_t hash() const { return hash_; }
  // Bytes that were not read yet, at most.
  size_t remaining() const { return block_.size() + (file_.bytes().size() - next_); }

  // Fills `out`. DataLoss: a block is not as it was written, or there is no more. Nothing of a
  // damaged block is given out.
  absl::Status Read(std::span<std::byte> out);
  template <typename T>
  absl::Status ReadAll(std::span<T> out) {
    static_assert(std::is_trivially_copyable_v<T>);
    return Read(std::as_writable_bytes(out));
  }
  template <typename T>
  absl::StatusOr<T> ReadOne() {
    T value;
    absl::Status status = ReadAll(std::span<T>(&value, 1));
    if (!status.ok()) return status;
    return value;
  }
  // DataLoss when something is left, or the blocks do not give the file's hash.
  absl::Status ExpectEnd();

 private:
  ChecksummedReader(std::filesystem::path path, MappedFile file)
      : path_(std::move(path)), file_(std::move(file)) {}
  absl::Status NextBlock();
  absl::Status Damaged(std::string_view what) const;

  std::filesystem::path path_;
  MappedFile file_;
  uint64_t hash_ = 0;
  size_t next_ = 0;         // Where the next block begins.
  std::string_view block_;  // Of the current one: what was not read yet.
  std::string hashes_ = {};
};

}  // namespace vettore
