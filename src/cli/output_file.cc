#include "cli/output_file.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/strings.h"

namespace vettore {
namespace {

namespace fs = std::filesystem;

// Where symbolic links lead, which may be a place where nothing is yet. They make no circle.
fs::path FollowLinks(fs::path path) {
  std::error_code error;
  while (fs::is_symlink(path, error)) path = path.parent_path() / fs::read_symlink(path, error);
  return path;
}

}  // namespace

absl::StatusOr<OutputFile> OutputFile::Create(const std::string& path) {
  // Opened by its name, a file behind standard output would be written from its front again.
  if (path == "-" || path == "/dev/stdout") return OutputFile(stdout, "standard output", "");
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::none) return ErrnoStatus(error.value(), "open", path);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    std::FILE* file = std::fopen(path.c_str(), "wbe");
    if (file == nullptr) return ErrnoStatus(errno, "open", path);
    return OutputFile(file, path, "");
  }
  std::string target = FollowLinks(path).string();
  std::string temporary = StrCat(target, ".partial-", ::getpid());
  std::FILE* file = std::fopen(temporary.c_str(), "wbxe");
  if (file == nullptr) return ErrnoStatus(errno, "create", temporary);
  return OutputFile(file, std::move(target), std::move(temporary));
}

OutputFile::OutputFile(std::FILE* file, std::string path, std::string temporary)
    : file_(file), path_(std::move(path)), temporary_(std::move(temporary)) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : file_(std::exchange(other.file_, nullptr)),
      path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)) {}

OutputFile::~OutputFile() {
  if (file_ == nullptr || file_ == stdout) return;
  std::fclose(file_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
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
    absl::Status failed = Failed();
    ::unlink(temporary_.c_str());
    return failed;
  }
  return absl::OkStatus();
}

}  // namespace vettore
