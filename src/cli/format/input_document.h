// Documents as they come out of files, whatever the format.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/format/input_file.h"
#include "cli/format/invalid_utf8.h"
#include "types/json.h"

namespace vettore {

struct InputDocument {
  std::string id;
  std::string title;
  std::string text;
  Json metadata = Json::object();
  std::string where;  // For messages: "corpus.jsonl:12", "handbook/start.md".
};

// Externally synchronised.
class DocumentReader {
 public:
  virtual ~DocumentReader() = default;
  // nullopt at the end. InvalidArgument, with file and place, for a record that is wrong: the next
  // call goes on behind it. After another error there is no more.
  virtual absl::StatusOr<std::optional<InputDocument>> Next() = 0;
  // Of the file, read so far.
  virtual uint64_t consumed_bytes() const = 0;
};

enum class DocumentFormat { kText, kMarkdown, kRestructured, kJsonLines, kCsv, kTsv };
// By the extension: .txt, .md, .markdown, .rst, .jsonl, .ndjson, .csv, .tsv; nullopt for others.
std::optional<DocumentFormat> DocumentFormatOf(const std::string& path);
// By the name that `--format` takes: txt, md, rst, jsonl, csv, tsv.
std::optional<DocumentFormat> ParseDocumentFormat(std::string_view name);

struct DocumentReaderOptions {
  DocumentFormat format = DocumentFormat::kText;
  // The document's id where a file is one document; the beginning of the id of a record that has
  // none ("name#12").
  std::string name;
  InvalidUtf8 invalid_utf8 = InvalidUtf8::kRefuse;
  // The column or key that holds the text.
  std::string text_field = "text";
};

absl::StatusOr<std::unique_ptr<DocumentReader>> OpenDocuments(InputFile file,
                                                              const DocumentReaderOptions& options);

// JSON Lines: "id" or "_id", "title" and the text field; "metadata" is an object, and every other
// key joins it. A record without text takes its title as text.
std::unique_ptr<DocumentReader> OpenJsonLinesDocuments(InputFile file,
                                                       const DocumentReaderOptions& options);

// CSV after RFC 4180 with a header line: the columns "id", "title" and the text field, the others
// are metadata (as texts; empty cells are left out). InvalidArgument when the header is missing the
// text column or repeats a name.
absl::StatusOr<std::unique_ptr<DocumentReader>> OpenCsvDocuments(
    InputFile file, const DocumentReaderOptions& options);

// The whole file is one document; its title is its first heading (Markdown, reStructuredText) or
// the file's name.
std::unique_ptr<DocumentReader> OpenTextDocument(InputFile file,
                                                 const DocumentReaderOptions& options);

// The first heading of a Markdown or reStructuredText file, or "".
std::string FirstHeading(std::string_view text, DocumentFormat format);

// Refuses or repairs `text`, whose first byte is the file's (or the cell's) byte `offset`.
// InvalidArgument: `where: byte N is not UTF-8`.
absl::Status MakeUtf8(std::string& text, InvalidUtf8 policy, std::string_view where,
                      uint64_t offset);

}  // namespace vettore
