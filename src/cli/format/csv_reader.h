// Records of comma-separated values, after RFC 4180.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/format/input_file.h"

namespace vettore {

struct CsvRecord {
  std::vector<std::string> cells;
  uint64_t line = 0;    // Of its first byte, from 1.
  uint64_t offset = 0;  // Of its first byte within the file.
};

// Cells may stand in double quotes, with "" for a quote within, and may then hold separators and
// line ends. Lines end with LF or CR LF; empty ones are passed over. Externally synchronised.
class CsvReader {
 public:
  CsvReader(InputFile file, char separator, size_t max_record_bytes)
      : file_(std::move(file)), separator_(separator), max_record_bytes_(max_record_bytes) {}

  const std::string& name() const { return file_.name(); }
  uint64_t consumed() const { return offset_; }

  // nullopt at the end. InvalidArgument with the line for a stray quote or a record over the limit:
  // the next call goes on at the next line. A quote without an end is DataLoss: the rest of the
  // file is lost to it.
  absl::StatusOr<std::optional<CsvRecord>> Next();

 private:
  // The next byte, or -1 at the end.
  absl::StatusOr<int> Take();
  absl::Status TakeQuoted(std::string& cell, uint64_t first_line);
  // `byte` is the cell's first byte, and afterwards the one that ends it.
  absl::Status TakeQuotedCell(std::string& cell, int& byte);
  absl::Status TakePlainCell(std::string& cell, int& byte);
  bool EndsCell(int byte) const;
  absl::Status TakeRecord(CsvRecord& record, int first);
  absl::Status SkipLine(absl::Status problem);
  absl::Status ErrorAt(uint64_t line, std::string_view problem) const;

  InputFile file_;
  const char separator_;
  const size_t max_record_bytes_;
  std::string buffer_;
  size_t next_ = 0;  // Within buffer_.
  uint64_t offset_ = 0;
  uint64_t line_ = 1;
  uint64_t record_offset_ = 0;
  int peeked_ = kNothing;
  static constexpr int kNothing = -2;
};

}  // namespace vettore
