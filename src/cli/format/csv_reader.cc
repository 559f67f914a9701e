#include "cli/format/csv_reader.h"

#include <span>

#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

constexpr size_t kBlockBytes = 64 << 10;
constexpr int kEnd = -1;

}  // namespace

absl::Status CsvReader::ErrorAt(uint64_t line, std::string_view problem) const {
  return absl::InvalidArgumentError(StrCat(file_.name(), ":", line, ": ", problem));
}

absl::StatusOr<int> CsvReader::Take() {
  if (peeked_ != kNothing) return std::exchange(peeked_, kNothing);
  if (next_ == buffer_.size()) {
    buffer_.resize(kBlockBytes);
    absl::StatusOr<size_t> got = file_.ReadSome(std::as_writable_bytes(std::span(buffer_)));
    buffer_.resize(got.ok() ? *got : 0);
    next_ = 0;
    if (!got.ok()) return got.status();
    if (buffer_.empty()) return kEnd;
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (offset_ == 0 && buffer_.starts_with(kByteOrderMark)) {
      next_ = kByteOrderMark.size();
      offset_ = next_;
      if (next_ == buffer_.size()) return kEnd;
    }
  }
  ++offset_;
  const char byte = buffer_[next_++];
  if (byte == '\n') ++line_;
  return static_cast<unsigned char>(byte);
}

absl::Status CsvReader::SkipLine(absl::Status problem) {
  while (true) {
    VETTORE_ASSIGN_OR_RETURN(const int byte, Take());
    if (byte == kEnd || byte == '\n') return problem;
  }
}

// The rest of a cell after its opening quote, up to and with the closing one.
absl::Status CsvReader::TakeQuoted(std::string& cell, uint64_t first_line) {
  while (true) {
    VETTORE_ASSIGN_OR_RETURN(const int byte, Take());
    if (byte == kEnd) {
      return absl::DataLossError(
          StrCat(file_.name(), ":", first_line, ": a quoted cell has no closing quote"));
    }
    if (byte == '"') {
      VETTORE_ASSIGN_OR_RETURN(const int after, Take());
      if (after != '"') {
        peeked_ = after;
        return absl::OkStatus();
      }
    }
    // Past the limit the cell is still read to its end, so that the next record starts where it
    // should.
    if (offset_ - record_offset_ <= max_record_bytes_) cell += static_cast<char>(byte);
  }
}

bool CsvReader::EndsCell(int byte) const {
  return byte == separator_ || byte == '\n' || byte == kEnd;
}

absl::Status CsvReader::TakeQuotedCell(std::string& cell, int& byte) {
  VETTORE_RETURN_IF_ERROR(TakeQuoted(cell, line_));
  VETTORE_ASSIGN_OR_RETURN(byte, Take());
  if (byte == '\r') {
    VETTORE_ASSIGN_OR_RETURN(byte, Take());
    if (byte != '\n' && byte != kEnd) {
      return SkipLine(ErrorAt(line_, "a carriage return after a cell's closing quote"));
    }
  }
  if (!EndsCell(byte)) return SkipLine(ErrorAt(line_, "text after a cell's closing quote"));
  return absl::OkStatus();
}

absl::Status CsvReader::TakePlainCell(std::string& cell, int& byte) {
  while (!EndsCell(byte)) {
    if (byte == '"') {
      return SkipLine(ErrorAt(line_, "a quote within a cell that does not begin with one"));
    }
    if (offset_ - record_offset_ <= max_record_bytes_) cell += static_cast<char>(byte);
    VETTORE_ASSIGN_OR_RETURN(byte, Take());
  }
  if (byte != separator_ && !cell.empty() && cell.back() == '\r') cell.pop_back();
  return absl::OkStatus();
}

absl::Status CsvReader::TakeRecord(CsvRecord& record, int first) {
  int byte = first;
  while (true) {
    std::string& cell = record.cells.emplace_back();
    VETTORE_RETURN_IF_ERROR(byte == '"' ? TakeQuotedCell(cell, byte) : TakePlainCell(cell, byte));
    if (byte != separator_) return absl::OkStatus();
    VETTORE_ASSIGN_OR_RETURN(byte, Take());
  }
}

absl::StatusOr<std::optional<CsvRecord>> CsvReader::Next() {
  while (true) {
    CsvRecord record{.cells = {}, .line = line_, .offset = offset_};
    record_offset_ = offset_;
    VETTORE_ASSIGN_OR_RETURN(const int first, Take());
    if (first == kEnd) return std::nullopt;
    VETTORE_RETURN_IF_ERROR(TakeRecord(record, first));
    if (offset_ - record_offset_ > max_record_bytes_) {
      return ErrorAt(record.line, StrCat("a record of ", offset_ - record_offset_,
                                         " bytes, at most ", max_record_bytes_, " are taken"));
    }
    if (record.cells.size() == 1 && record.cells.front().empty()) continue;
    return record;
  }
}

}  // namespace vettore
