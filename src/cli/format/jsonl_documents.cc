// Documents out of JSON Lines.
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "cli/format/blank.h"
#include "cli/format/input_document.h"
#include "cli/format/json_record.h"
#include "cli/format/line_reader.h"
#include "types/limits.h"

namespace vettore {
namespace {

// A text of the largest size whose every byte is escaped as \u00XX would be longer; texts are not
// like that.
constexpr size_t kMaxLineBytes = 3 * limits::kTextBytes;

// A text, or a number's digits: ids are often numbers.
absl::StatusOr<std::string> TakeText(Json& value, std::string_view key) {
  if (value.is_string()) return std::move(value.get_ref<std::string&>());
  if (value.is_null()) return std::string();
  if (value.is_number_integer()) return value.dump();
  return absl::InvalidArgumentError(
      StrCat("\"", key, "\": a text is wanted, got ", value.type_name()));
}

absl::Status TakeMetadata(Json value, Json& metadata) {
  if (value.is_null()) return absl::OkStatus();
  if (!value.is_object()) {
    return absl::InvalidArgumentError(
        StrCat("\"metadata\": an object is wanted, got ", value.type_name()));
  }
  for (auto& [key, entry] : value.items()) {
    if (metadata.contains(key)) {
      return absl::InvalidArgumentError(
          StrCat("\"", key, "\" stands in \"metadata\" and beside it"));
    }
    metadata[key] = std::move(entry);
  }
  return absl::OkStatus();
}

absl::StatusOr<InputDocument> DocumentOf(Json record, const std::string& text_field) {
  InputDocument document;
  if (record.contains("id") && record.contains("_id")) {
    return absl::InvalidArgumentError("\"id\" and \"_id\" together; one is wanted");
  }
  if (!record.contains(text_field) && !record.contains("title")) {
    return absl::InvalidArgumentError(
        StrCat("no \"", text_field, "\"; --text-field names another key"));
  }
  for (auto& [key, value] : record.items()) {
    if (key == "id" || key == "_id") {
      VETTORE_ASSIGN_OR_RETURN(document.id, TakeText(value, key));
    } else if (key == text_field) {
      VETTORE_ASSIGN_OR_RETURN(document.text, TakeText(value, key));
    } else if (key == "title") {
      VETTORE_ASSIGN_OR_RETURN(document.title, TakeText(value, key));
    } else if (key != "metadata") {
      document.metadata[key] = std::move(value);
    }
  }
  const auto metadata = record.find("metadata");
  if (metadata != record.end() && text_field != "metadata") {
    VETTORE_RETURN_IF_ERROR(TakeMetadata(std::move(*metadata), document.metadata));
  }
  if (IsBlank(document.text)) document.text.swap(document.title);
  if (IsBlank(document.text)) {
    return absl::InvalidArgumentError("text and title are empty");
  }
  VETTORE_RETURN_IF_ERROR(ValidatePayload(document.metadata, "metadata"));
  return document;
}

class JsonLinesDocuments : public DocumentReader {
 public:
  JsonLinesDocuments(InputFile file, const DocumentReaderOptions& options)
      : lines_(std::move(file), kMaxLineBytes), options_(options) {}

  absl::StatusOr<std::optional<InputDocument>> Next() override {
    while (true) {
      VETTORE_ASSIGN_OR_RETURN(const std::optional<Line> line, lines_.Next());
      if (!line) return std::nullopt;
      std::string text(line->text);
      if (IsBlank(text)) continue;
      const std::string where = StrCat(lines_.name(), ":", line->number);
      VETTORE_RETURN_IF_ERROR(MakeUtf8(text, options_.invalid_utf8, where, line->offset));
      absl::StatusOr<Json> record = ParseJsonRecord(text, limits::kPayloadDepth);
      if (!record.ok()) return Annotate(record.status(), where);
      absl::StatusOr<InputDocument> document = DocumentOf(*std::move(record), options_.text_field);
      if (!document.ok()) return Annotate(document.status(), where);
      if (document->id.empty()) document->id = StrCat(options_.name, "#", line->number);
      document->where = where;
      return *std::move(document);
    }
  }

  uint64_t consumed_bytes() const override { return lines_.consumed(); }

 private:
  LineReader lines_;
  const DocumentReaderOptions options_;
};

}  // namespace

std::unique_ptr<DocumentReader> OpenJsonLinesDocuments(InputFile file,
                                                       const DocumentReaderOptions& options) {
  return std::make_unique<JsonLinesDocuments>(std::move(file), options);
}

}  // namespace vettore
