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
// Close nothing is left of it. Movable; externally synchronised.
class OutputFile {
 public:
  // "-" is standard output.
  static absl::StatusOr<OutputFile> Create(const std::string& path);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  absl::Status Write(std::string_view bytes);
  // Overwrites the front; not of standard output.
  absl::Status WriteAtFront(std::string_view bytes);
  absl::Status Close();

 private:
  OutputFile(std::FILE* file, std::string path, std::string temporary);
  absl::Status Failed() const;

  std::FILE* file_ = nullptr;
  std::string path_;
  std::string temporary_;  // Empty for standard output.
};

}  // namespace vettore
