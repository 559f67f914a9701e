#include "cli/output_file.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/file.h"
#include "base/strings.h"

namespace vettore {

absl::StatusOr<OutputFile> OutputFile::Create(const std::string& path) {
  if (path == "-") return OutputFile(stdout, "standard output", "");
  std::string temporary = StrCat(path, ".partial-", ::getpid());
  std::FILE* file = std::fopen(temporary.c_str(), "wbx");
  if (file == nullptr) return ErrnoStatus(errno, "create", temporary);
  return OutputFile(file, path, std::move(temporary));
}

OutputFile::OutputFile(std::FILE* file, std::string path, std::string temporary)
    : file_(file), path_(std::move(path)), temporary_(std::move(temporary)) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : file_(std::exchange(other.file_, nullptr)),
      path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)) {}

OutputFile::~OutputFile() {
  if (file_ == nullptr || temporary_.empty()) return;
  std::fclose(file_);
  ::unlink(temporary_.c_str());
}

absl::Status OutputFile::Failed() const { return ErrnoStatus(errno, "write", path_); }

absl::Status OutputFile::Write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) return Failed();
  return absl::OkStatus();
}

absl::Status OutputFile::WriteAtFront(std::string_view bytes) {
  if (std::fseek(file_, 0, SEEK_SET) != 0) return Failed();
  return Write(bytes);
}

absl::Status OutputFile::Close() {
  if (std::fflush(file_) != 0) return Failed();
  if (temporary_.empty()) return absl::OkStatus();
  if (::fsync(::fileno(file_)) != 0) return Failed();
  std::FILE* file = std::exchange(file_, nullptr);
  if (std::fclose(file) != 0 || std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const absl::Status failed = Failed();
    ::unlink(temporary_.c_str());
    return failed;
  }
  return absl::OkStatus();
}

}  // namespace vettore
