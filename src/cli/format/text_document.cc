// A file that is one document: plain text, Markdown, reStructuredText.
#include <span>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "cli/format/blank.h"
#include "cli/format/input_document.h"
#include "types/limits.h"

namespace vettore {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kHeadingLines = 200;  // A heading further down is no title.

// The next line of `text`, without its end; moves `text` behind it.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return StripTrailing(line);
}

// A line of one repeated character that may underline a title: at least two of them.
bool IsRule(std::string_view line, std::string_view characters) {
  return line.size() >= 2 && characters.find(line.front()) != std::string_view::npos &&
         line.find_first_not_of(line.front()) == std::string_view::npos;
}

// CommonMark's ATX heading ("# Title #") or "".
std::string_view AtxHeading(std::string_view line) {
  const size_t level = line.find_first_not_of('#');
  if (level == 0 || level == std::string_view::npos || level > 6 || line[level] != ' ') return "";
  std::string_view title = Strip(line.substr(level));
  const size_t end = title.find_last_not_of('#');
  // A closing run of # counts only after a space: "# C#" is a title.
  if (end != std::string_view::npos && end + 1 < title.size() && title[end] == ' ') {
    title = StripTrailing(title.substr(0, end));
  }
  return title;
}

class TextDocument : public DocumentReader {
 public:
  TextDocument(InputFile file, const DocumentReaderOptions& options)
      : file_(std::move(file)), options_(options) {}

  absl::StatusOr<std::optional<InputDocument>> Next() override {
    if (std::exchange(done_, true)) return std::nullopt;
    VETTORE_ASSIGN_OR_RETURN(std::string text, ReadAll());
    size_t offset = 0;
    if (text.starts_with(kByteOrderMark)) {
      offset = kByteOrderMark.size();
      text.erase(0, offset);
    }
    VETTORE_RETURN_IF_ERROR(MakeUtf8(text, options_.invalid_utf8, file_.name(), offset));
    if (IsBlank(text)) {
      return absl::InvalidArgumentError(StrCat(file_.name(), ": holds no text"));
    }
    InputDocument document;
    document.id = options_.name;
    document.title = FirstHeading(text, options_.format);
    if (document.title.empty()) document.title = FileTitle();
    document.text = std::move(text);
    document.where = file_.name();
    return document;
  }

  uint64_t consumed_bytes() const override { return file_.offset(); }

 private:
  absl::StatusOr<std::string> ReadAll() {
    std::string text(limits::kTextBytes + kByteOrderMark.size() + 1, '\0');
    if (file_.size() && *file_.size() < text.size()) {
      text.resize(static_cast<size_t>(*file_.size()) + 1);  // One more: the file may have grown.
    }
    VETTORE_ASSIGN_OR_RETURN(const size_t got, file_.Read(std::as_writable_bytes(std::span(text))));
    text.resize(got);
    if (got <= limits::kTextBytes) return text;
    return absl::InvalidArgumentError(StrCat(file_.name(), ": a document of more than ",
                                             limits::kTextBytes,
                                             " bytes; split it into several files"));
  }

  // The file's name without folders and extension.
  std::string FileTitle() const {
    std::string_view name = options_.name;
    name.remove_prefix(name.find_last_of('/') + 1);  // npos + 1 is 0.
    const size_t dot = name.rfind('.');
    return std::string(dot == 0 ? name : name.substr(0, dot));
  }

  InputFile file_;
  const DocumentReaderOptions options_;
  bool done_ = false;
};

}  // namespace

std::string FirstHeading(std::string_view text, DocumentFormat format) {
  if (format != DocumentFormat::kMarkdown && format != DocumentFormat::kRestructured) return "";
  const bool markdown = format == DocumentFormat::kMarkdown;
  const std::string_view rules = markdown ? "=-" : "=-`:'\"~^_*+#<>.";
  std::string_view before;  // The line before the current one.
  bool in_fence = false;
  for (size_t i = 0; i < kHeadingLines && !text.empty(); ++i) {
    const std::string_view line = TakeLine(text);
    if (markdown && (line.starts_with("```") || line.starts_with("~~~"))) in_fence = !in_fence;
    if (in_fence) continue;
    if (markdown && !AtxHeading(line).empty()) return std::string(AtxHeading(line));
    // An underline is as long as its title in reStructuredText; front matter's "---" has no title
    // above it.
    const bool underlines = IsRule(line, rules) && !before.empty() && !IsRule(before, rules) &&
                            (markdown ? before.find(':') == std::string_view::npos
                                      : line.size() >= before.size() && !before.starts_with(".."));
    if (underlines) return std::string(Strip(before));
    before = line;
  }
  return "";
}

std::unique_ptr<DocumentReader> OpenTextDocument(InputFile file,
                                                 const DocumentReaderOptions& options) {
  return std::make_unique<TextDocument>(std::move(file), options);
}

}  // namespace vettore
