// Bytes of a file or of standard input, read once from front to back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace vettore {

// Movable; externally synchronised.
class InputFile {
 public:
  // "-" is standard input. NotFound, PermissionDenied; InvalidArgument for a folder.
  // InterruptedError as in Read.
  static absl::StatusOr<InputFile> Open(const std::string& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  // As messages name it: the path, or "standard input".
  const std::string& name() const { return name_; }
  // Absent when it cannot be known beforehand: a pipe, a terminal.
  std::optional<uint64_t> size() const { return size_; }
  // Bytes read so far.
  uint64_t offset() const { return offset_; }

  // Reads up to buffer.size() bytes; fewer only at the end. InterruptedError after Ctrl-C within
  // an InterruptScope.
  absl::StatusOr<size_t> Read(std::span<std::byte> buffer);
  // Reads what is there, waiting only when that is nothing; 0 at the end.
  absl::StatusOr<size_t> ReadSome(std::span<std::byte> buffer);

  // InvalidArgument: `name: byte N: problem`.
  absl::Status ErrorAt(uint64_t offset, const std::string& problem) const;

 private:
  InputFile(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

  int descriptor_ = -1;
  std::string name_;
  std::optional<uint64_t> size_;
  uint64_t offset_ = 0;
};

}  // namespace vettore
