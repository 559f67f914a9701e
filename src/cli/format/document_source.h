// All documents of the files and folders that `ingest` was given.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/format/input_document.h"

namespace vettore {

struct SourceFile {
  std::string path;  // "-" is standard input.
  std::string name;  // Relative to the folder that was given; a file given itself: its own name.
  DocumentFormat format = DocumentFormat::kText;
  std::optional<uint64_t> bytes;
};

struct SourceListing {
  std::vector<SourceFile> files;
  // Of folders: files whose extension is not known.
  std::vector<std::string> skipped;
};

// Lists files and, recursively, folders: within a folder in the byte order of the relative paths,
// hidden files and folders left out, links to folders not followed. `format` is for every file
// given by itself, "-" included, and overrides its extension. NotFound; InvalidArgument for a file
// of unknown extension or two files of one name.
absl::StatusOr<SourceListing> ListSources(const std::vector<std::string>& paths,
                                          std::optional<DocumentFormat> format);

// Reads one file after the other. Externally synchronised.
class DocumentSource {
 public:
  // Of `options`, format and name are taken from each file.
  DocumentSource(std::vector<SourceFile> files, DocumentReaderOptions options);

  // nullopt at the end. After any error the next call goes on: with the next record, or, where the
  // file cannot be read further, with the next file.
  absl::StatusOr<std::optional<InputDocument>> Next();

  // Of all files, read so far; and altogether, absent when standard input is among them.
  uint64_t consumed_bytes() const;
  std::optional<uint64_t> total_bytes() const { return total_bytes_; }

 private:
  absl::Status OpenNext();
  void CloseFile();

  const std::vector<SourceFile> files_;
  const DocumentReaderOptions options_;
  std::optional<uint64_t> total_bytes_;
  size_t next_file_ = 0;
  uint64_t finished_bytes_ = 0;
  std::unique_ptr<DocumentReader> reader_;
};

}  // namespace vettore
