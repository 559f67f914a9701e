// Documents out of CSV and TSV files.
#include <utility>

#include "absl/strings/str_join.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/format/blank.h"
#include "cli/format/csv_reader.h"
#include "cli/format/input_document.h"
#include "types/limits.h"

namespace vettore {
namespace {

constexpr size_t kMaxRecordBytes = 2 * limits::kTextBytes;

class CsvDocuments : public DocumentReader {
 public:
  CsvDocuments(InputFile file, const DocumentReaderOptions& options)
      : reader_(std::move(file), options.format == DocumentFormat::kTsv ? '\t' : ',',
                kMaxRecordBytes),
        options_(options) {}

  absl::Status ReadHeader() {
    VETTORE_ASSIGN_OR_RETURN(std::optional<CsvRecord> header, reader_.Next());
    if (!header) {
      return absl::InvalidArgumentError(
          StrCat(reader_.name(), ": empty; a header line with the columns is wanted"));
    }
    columns_ = std::move(header->cells);
    bool has_text = false;
    for (size_t i = 0; i < columns_.size(); ++i) {
      VETTORE_RETURN_IF_ERROR(MakeUtf8(columns_[i], options_.invalid_utf8,
                                       StrCat(reader_.name(), ":1"), header->offset));
      has_text |= columns_[i] == options_.text_field;
      for (size_t k = 0; k < i; ++k) {
        if (columns_[k] != columns_[i]) continue;
        return absl::InvalidArgumentError(
            StrCat(reader_.name(), ":1: column '", columns_[i], "' stands twice"));
      }
    }
    if (has_text) return absl::OkStatus();
    return absl::InvalidArgumentError(StrCat(reader_.name(), ":1: no column '", options_.text_field,
                                             "' among ", absl::StrJoin(columns_, ", "),
                                             "; --text-field names the one that holds the text"));
  }

  absl::StatusOr<std::optional<InputDocument>> Next() override {
    VETTORE_ASSIGN_OR_RETURN(std::optional<CsvRecord> record, reader_.Next());
    if (!record) return std::nullopt;
    const std::string where = StrCat(reader_.name(), ":", record->line);
    if (record->cells.size() != columns_.size()) {
      return absl::InvalidArgumentError(
          StrCat(where, ": ", record->cells.size(), " cells, the header has ", columns_.size()));
    }
    InputDocument document;
    document.where = where;
    for (size_t i = 0; i < columns_.size(); ++i) {
      std::string& cell = record->cells[i];
      VETTORE_RETURN_IF_ERROR(MakeUtf8(cell, options_.invalid_utf8,
                                       StrCat(where, ": column '", columns_[i], "' of the record"),
                                       0));
      Place(columns_[i], std::move(cell), document);
    }
    if (IsBlank(document.text)) document.text.swap(document.title);
    if (IsBlank(document.text)) {
      return absl::InvalidArgumentError(StrCat(where, ": text and title are empty"));
    }
    if (document.id.empty()) document.id = StrCat(options_.name, "#", record->line);
    return document;
  }

  uint64_t consumed_bytes() const override { return reader_.consumed(); }

 private:
  void Place(const std::string& column, std::string cell, InputDocument& document) const {
    if (column == options_.text_field) {
      document.text = std::move(cell);
    } else if (column == "id") {
      document.id = std::move(cell);
    } else if (column == "title") {
      document.title = std::move(cell);
    } else if (!cell.empty()) {
      document.metadata[column] = std::move(cell);
    }
  }

  CsvReader reader_;
  const DocumentReaderOptions options_;
  std::vector<std::string> columns_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DocumentReader>> OpenCsvDocuments(
    InputFile file, const DocumentReaderOptions& options) {
  auto documents = std::make_unique<CsvDocuments>(std::move(file), options);
  VETTORE_RETURN_IF_ERROR(documents->ReadHeader());
  return documents;
}

}  // namespace vettore
