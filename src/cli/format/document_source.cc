#include "cli/format/document_source.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

namespace fs = std::filesystem;

absl::Status Unreadable(const fs::path& path, const std::error_code& error) {
  const std::string message = StrCat("cannot read ", path.string(), ": ", error.message());
  if (error == std::errc::no_such_file_or_directory) return absl::NotFoundError(message);
  if (error == std::errc::permission_denied) return absl::PermissionDeniedError(message);
  return absl::UnavailableError(message);
}

SourceFile FileOf(const fs::path& path, std::string name, DocumentFormat format) {
  SourceFile file{.path = path.string(), .name = std::move(name), .format = format, .bytes = {}};
  std::error_code error;
  const uintmax_t bytes = fs::file_size(path, error);
  if (!error) file.bytes = bytes;
  return file;
}

absl::Status ListFolder(const fs::path& folder, SourceListing& listing) {
  std::error_code error;
  fs::recursive_directory_iterator walk(folder, error);
  if (error) return Unreadable(folder, error);
  std::vector<fs::path> found;
  for (; walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    if (error) return Unreadable(folder, error);
    const fs::path& path = walk->path();
    std::error_code type_error;  // A link to nowhere is no regular file.
    if (path.filename().string().starts_with(".")) {
      walk.disable_recursion_pending();
    } else if (walk->is_regular_file(type_error)) {
      found.push_back(path.lexically_relative(folder));
    }
  }
  if (error) return Unreadable(folder, error);
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
    return a.generic_string() < b.generic_string();
  });
  for (const fs::path& relative : found) {
    const std::string name = relative.generic_string();
    if (const std::optional<DocumentFormat> format = DocumentFormatOf(name)) {
      listing.files.push_back(FileOf(folder / relative, name, *format));
    } else {
      listing.skipped.push_back((folder / relative).string());
    }
  }
  return absl::OkStatus();
}

absl::Status ListOne(const std::string& path, std::optional<DocumentFormat> format,
                     SourceListing& listing) {
  if (path == "-") {
    if (!format) {
      return absl::InvalidArgumentError(
          "standard input needs --format: txt, md, rst, jsonl, csv or tsv");
    }
    listing.files.push_back({.path = "-", .name = "stdin", .format = *format, .bytes = {}});
    return absl::OkStatus();
  }
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found || error) return Unreadable(path, error);
  if (fs::is_directory(status)) return ListFolder(path, listing);
  if (!format) format = DocumentFormatOf(path);
  if (!format) {
    return absl::InvalidArgumentError(
        StrCat(path,
               ": the extension is none of .txt, .md, .rst, .jsonl, .csv, .tsv; say "
               "what it is with --format"));
  }
  listing.files.push_back(FileOf(path, fs::path(path).filename().string(), *format));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SourceListing> ListSources(const std::vector<std::string>& paths,
                                          std::optional<DocumentFormat> format) {
  SourceListing listing;
  for (const std::string& path : paths) {
    VETTORE_RETURN_IF_ERROR(ListOne(path, format, listing));
  }
  // Equal names would be equal ids, and the later file would silently replace the earlier one.
  std::map<std::string_view, std::string_view> path_of;
  for (const SourceFile& file : listing.files) {
    const auto [at, inserted] = path_of.emplace(file.name, file.path);
    if (inserted) continue;
    return absl::InvalidArgumentError(StrCat(at->second, " and ", file.path,
                                             " would both be the document '", file.name,
                                             "'; ingest the folder that holds both"));
  }
  return listing;
}

DocumentSource::DocumentSource(std::vector<SourceFile> files, DocumentReaderOptions options)
    : files_(std::move(files)), options_(std::move(options)), total_bytes_(0) {
  for (const SourceFile& file : files_) {
    if (!file.bytes) {
      total_bytes_.reset();
      return;
    }
    *total_bytes_ += *file.bytes;
  }
}

absl::Status DocumentSource::OpenNext() {
  const SourceFile& file = files_[next_file_++];
  VETTORE_ASSIGN_OR_RETURN(InputFile input, InputFile::Open(file.path));
  DocumentReaderOptions options = options_;
  options.format = file.format;
  options.name = file.name;
  VETTORE_ASSIGN_OR_RETURN(reader_, OpenDocuments(std::move(input), options));
  return absl::OkStatus();
}

void DocumentSource::CloseFile() {
  finished_bytes_ += files_[next_file_ - 1].bytes.value_or(reader_->consumed_bytes());
  reader_.reset();
}

uint64_t DocumentSource::consumed_bytes() const {
  return finished_bytes_ + (reader_ ? reader_->consumed_bytes() : 0);
}

absl::StatusOr<std::optional<InputDocument>> DocumentSource::Next() {
  while (true) {
    if (!reader_) {
      if (next_file_ == files_.size()) return std::nullopt;
      if (absl::Status opened = OpenNext(); !opened.ok()) {
        finished_bytes_ += files_[next_file_ - 1].bytes.value_or(0);
        return opened;
      }
    }
    absl::StatusOr<std::optional<InputDocument>> document = reader_->Next();
    if (document.ok() && *document) return document;
    if (!document.ok() && absl::IsInvalidArgument(document.status())) return document.status();
    CloseFile();
    if (!document.ok()) return document.status();
  }
}

}  // namespace vettore
