// Rows of an index file of FAISS.
#include <utility>

#include "absl/strings/match.h"
#include "base/status.h"
#include "bench/faiss_file.h"
#include "cli/format/vector_rows.h"

namespace vettore {
namespace {

class FaissRows : public VectorRows {
 public:
  explicit FaissRows(std::unique_ptr<bench::FaissFileReader> file) : file_(std::move(file)) {}
  size_t dimension() const override { return file_->dim(); }
  std::optional<uint64_t> count() const override { return file_->count(); }
  absl::StatusOr<bool> Next(std::vector<float>& row) override { return file_->Next(row); }
  std::optional<uint64_t> id() const override { return file_->id(); }

 private:
  const std::unique_ptr<bench::FaissFileReader> file_;
};

}  // namespace

bool IsFaissFile(const std::string& path) {
  return absl::EndsWithIgnoreCase(path, ".faiss") || absl::EndsWithIgnoreCase(path, ".index");
}

absl::StatusOr<std::unique_ptr<VectorRows>> OpenFaissRows(const std::string& path) {
  VETTORE_ASSIGN_OR_RETURN(std::unique_ptr<bench::FaissFileReader> file,
                           bench::FaissFileReader::Open(path));
  return std::make_unique<FaissRows>(std::move(file));
}

}  // namespace vettore
