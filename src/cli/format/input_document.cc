#include "cli/format/input_document.h"

#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "base/strings.h"
#include "base/utf8.h"

namespace vettore {
namespace {

struct FormatRow {
  std::string_view name;  // The extension without its dot, and what --format takes.
  DocumentFormat format;
};
constexpr std::array kFormats = {
    FormatRow{"txt", DocumentFormat::kText},
    FormatRow{"text", DocumentFormat::kText},
    FormatRow{"md", DocumentFormat::kMarkdown},
    FormatRow{"markdown", DocumentFormat::kMarkdown},
    FormatRow{"rst", DocumentFormat::kRestructured},
    FormatRow{"jsonl", DocumentFormat::kJsonLines},
    FormatRow{"ndjson", DocumentFormat::kJsonLines},
    FormatRow{"csv", DocumentFormat::kCsv},
    FormatRow{"tsv", DocumentFormat::kTsv},
};

}  // namespace

std::optional<DocumentFormat> ParseDocumentFormat(std::string_view name) {
  for (const FormatRow& row : kFormats) {
    if (absl::EqualsIgnoreCase(AbslView(row.name), AbslView(name))) return row.format;
  }
  return std::nullopt;
}

std::optional<DocumentFormat> DocumentFormatOf(const std::string& path) {
  const size_t dot = path.find_last_of("./");
  if (dot == std::string::npos || path[dot] != '.') return std::nullopt;
  return ParseDocumentFormat(std::string_view(path).substr(dot + 1));
}

absl::StatusOr<std::unique_ptr<DocumentReader>> OpenDocuments(
    InputFile file, const DocumentReaderOptions& options) {
  switch (options.format) {
    case DocumentFormat::kText:
    case DocumentFormat::kMarkdown:
    case DocumentFormat::kRestructured:
      return OpenTextDocument(std::move(file), options);
    case DocumentFormat::kJsonLines:
      return OpenJsonLinesDocuments(std::move(file), options);
    case DocumentFormat::kCsv:
    case DocumentFormat::kTsv:
      return OpenCsvDocuments(std::move(file), options);
  }
  return absl::InternalError("a document format without a reader");
}

absl::Status MakeUtf8(std::string& text, InvalidUtf8 policy, std::string_view where,
                      uint64_t offset) {
  const std::optional<size_t> invalid = FindInvalidUtf8(text);
  if (!invalid) return absl::OkStatus();
  if (policy == InvalidUtf8::kReplace) {
    text = ReplaceInvalidUtf8(text);
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      StrCat(where, ": byte ", offset + *invalid,
             " is not UTF-8; convert the file (iconv -f latin1 -t utf-8) or pass "
             "--invalid-utf8 replace"));
}

}  // namespace vettore
