#include "cli/format/line_reader.h"

#include <span>

#include "absl/status/status.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

constexpr size_t kBlockBytes = 64 << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

absl::Status LineReader::Fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  const size_t old_size = buffer_.size();
  buffer_.resize(old_size + kBlockBytes);
  absl::StatusOr<size_t> got =
      file_.ReadSome(std::as_writable_bytes(std::span(buffer_).subspan(old_size)));
  buffer_.resize(old_size + (got.ok() ? *got : 0));
  if (!got.ok()) {
    at_end_ = true;
    return got.status();
  }
  at_end_ = *got == 0;
  return absl::OkStatus();
}

absl::StatusOr<Line> LineReader::TakeLine(size_t length, size_t end_length) {
  Line line{.text = std::string_view(buffer_).substr(begin_, length),
            .number = ++line_number_,
            .offset = line_offset_};
  begin_ += length + end_length;
  line_offset_ += length + end_length;
  if (line.number == 1 && line.text.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    line.text.remove_prefix(kByteOrderMark.size());
    line.offset += kByteOrderMark.size();
  }
  if (!line.text.empty() && line.text.back() == '\r') line.text.remove_suffix(1);
  if (line.text.size() > max_line_bytes_) {
    return absl::InvalidArgumentError(StrCat(name(), ":", line.number, ": a line of ",
                                             line.text.size(), " bytes, at most ", max_line_bytes_,
                                             " are taken"));
  }
  return line;
}

absl::Status LineReader::SkipLongLine() {
  uint64_t length = 0;
  while (true) {
    const size_t end = buffer_.find('\n', begin_);
    if (end != std::string::npos || at_end_) {
      const size_t taken = end == std::string::npos ? buffer_.size() - begin_ : end + 1 - begin_;
      begin_ += taken;
      length += taken;
      break;
    }
    length += buffer_.size() - begin_;
    begin_ = buffer_.size();
    VETTORE_RETURN_IF_ERROR(Fill());
  }
  line_offset_ += length;
  ++line_number_;
  return absl::InvalidArgumentError(StrCat(name(), ":", line_number_, ": a line of ", length,
                                           " bytes, at most ", max_line_bytes_, " are taken"));
}

absl::StatusOr<std::optional<Line>> LineReader::Next() {
  size_t searched = 0;
  while (true) {
    const size_t end = buffer_.find('\n', begin_ + searched);
    if (end != std::string::npos) return TakeLine(end - begin_, 1);
    searched = buffer_.size() - begin_;
    if (at_end_) {
      if (searched == 0) return std::nullopt;
      return TakeLine(searched, 0);
    }
    if (searched > max_line_bytes_ + 1) return SkipLongLine();
    VETTORE_RETURN_IF_ERROR(Fill());
  }
}

}  // namespace vettore
