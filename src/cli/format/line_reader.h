// The lines of a file, one at a time, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "cli/format/input_file.h"

namespace vettore {

struct Line {
  std::string_view text;  // Without its end, LF or CR LF. Valid until the next call.
  uint64_t number = 0;    // From 1.
  uint64_t offset = 0;    // Of its first byte within the file.
};

// A byte order mark at the front of the file is not part of the first line. Externally
// synchronised.
class LineReader {
 public:
  LineReader(InputFile file, size_t max_line_bytes)
      : file_(std::move(file)), max_line_bytes_(max_line_bytes) {}

  const std::string& name() const { return file_.name(); }
  std::optional<uint64_t> size() const { return file_.size(); }
  // Bytes of the lines returned so far.
  uint64_t consumed() const { return line_offset_; }

  // The next line; nullopt at the end. InvalidArgument for a line over the limit, after which the
  // next call goes on behind it; another error ends the file.
  absl::StatusOr<std::optional<Line>> Next();

 private:
  absl::Status Fill();
  absl::StatusOr<Line> TakeLine(size_t length, size_t end_length);
  absl::Status SkipLongLine();

  InputFile file_;
  const size_t max_line_bytes_;
  std::string buffer_;
  size_t begin_ = 0;  // Of the unread bytes within buffer_.
  bool at_end_ = false;
  uint64_t line_number_ = 0;
  uint64_t line_offset_ = 0;
};

}  // namespace vettore
