// The points that `import` reads, whatever the format of the file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/format/point_records.h"

namespace vettore {

// Externally synchronised.
class ImportSource {
 public:
  virtual ~ImportSource() = default;
  // nullopt at the end. InvalidArgument with the place of a record that is wrong; resumable() says
  // whether the next call goes on behind it.
  virtual absl::StatusOr<std::optional<PointRecord>> Next() = 0;
  virtual bool resumable() const = 0;
  // Of the record that came last: "points.jsonl:12", "base.npy: row 12".
  virtual std::string where() const = 0;
  // The progress: bytes or rows, and of how many, where that is known.
  virtual uint64_t done() const = 0;
  virtual std::optional<uint64_t> total() const = 0;
};

struct ImportSourceOptions {
  std::string path;         // "-" is standard input.
  std::string format;       // jsonl, npy, fvecs, bvecs, faiss; empty: by the extension.
  std::string ids;          // A file; empty: start_id and on.
  std::string payloads;     // JSON Lines of objects, one a row; empty: none.
  std::string vector_name;  // Of rows.
  uint64_t start_id = 0;
};

// Usage error for options that do not go together.
absl::StatusOr<std::unique_ptr<ImportSource>> OpenImportSource(const ImportSourceOptions& options);

}  // namespace vettore
