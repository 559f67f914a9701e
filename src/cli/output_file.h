// Where a command's data go: standard output, or a file that appears whole.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace vettore {

// A file is written under a temporary name beside its own and takes its name in Close; without
// Close nothing is left of it. A symbolic link stays one, and what it points to is written. A path
// that exists and is no regular file (a device, a pipe) is written to as it is. Movable; externally
// synchronised.
class OutputFile {
 public:
  // "-" and "/dev/stdout" are standard output.
  static absl::StatusOr<OutputFile> Create(const std::string& path);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  absl::Status Write(std::string_view bytes);
  // Overwrites the front; of a regular file only.
  absl::Status WriteAtFront(std::string_view bytes);
  absl::Status Close();

 private:
  OutputFile(std::FILE* file, std::string path, std::string temporary);
  absl::Status Failed() const;

  std::FILE* file_ = nullptr;
  std::string path_;
  std::string temporary_;  // Empty for what is written to as it is.
};

}  // namespace vettore
