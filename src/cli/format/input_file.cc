#include "cli/format/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/file.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/command.h"
#include "cli/interrupt.h"

namespace vettore {

absl::StatusOr<InputFile> InputFile::Open(const std::string& path) {
  const bool standard_input = path == "-";
  const int descriptor = standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  // A named pipe is opened once somebody writes to it.
  if (descriptor < 0 && InterruptScope::Happened()) return InterruptedError("interrupted");
  if (descriptor < 0) return ErrnoStatus(errno, "open", path);
  InputFile file(descriptor, standard_input ? "standard input" : path);
  struct stat about {};
  if (::fstat(descriptor, &about) != 0) return ErrnoStatus(errno, "examine", file.name_);
  if (S_ISDIR(about.st_mode)) {
    return absl::InvalidArgumentError(StrCat(file.name_, ": is a folder, a file is wanted"));
  }
  // Standard input may be a file that somebody has read from already: its size says nothing.
  if (S_ISREG(about.st_mode) && !standard_input) file.size_ = static_cast<uint64_t>(about.st_size);
  return file;
}

InputFile::InputFile(InputFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      name_(std::move(other.name_)),
      size_(other.size_),
      offset_(other.offset_) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(name_, other.name_);
  std::swap(size_, other.size_);
  std::swap(offset_, other.offset_);
  return *this;
}

InputFile::~InputFile() {
  if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
}

absl::StatusOr<size_t> InputFile::ReadSome(std::span<std::byte> buffer) {
  while (true) {
    const ssize_t got = ::read(descriptor_, buffer.data(), buffer.size());
    if (got >= 0) {
      offset_ += static_cast<size_t>(got);
      return static_cast<size_t>(got);
    }
    if (errno != EINTR) return ErrnoStatus(errno, "read", name_);
    if (InterruptScope::Happened()) return InterruptedError("interrupted");
  }
}

absl::StatusOr<size_t> InputFile::Read(std::span<std::byte> buffer) {
  size_t done = 0;
  while (done < buffer.size()) {
    VETTORE_ASSIGN_OR_RETURN(const size_t got, ReadSome(buffer.subspan(done)));
    if (got == 0) break;
    done += got;
  }
  return done;
}

absl::Status InputFile::ErrorAt(uint64_t offset, const std::string& problem) const {
  return absl::InvalidArgumentError(StrCat(name_, ": byte ", offset, ": ", problem));
}

}  // namespace vettore
