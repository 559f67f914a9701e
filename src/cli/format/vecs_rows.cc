// Rows of .fvecs and .bvecs files, the formats of http://corpus-texmex.irisa.fr.
#include <cstring>
#include <span>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "cli/format/vector_rows.h"
#include "types/limits.h"

namespace vettore {
namespace {

constexpr size_t kHeadBytes = 4;

// One row is read ahead: the dimension must be known before the first Next.
class VecsRows : public VectorRows {
 public:
  VecsRows(InputFile file, size_t element_bytes)
      : file_(std::move(file)), element_bytes_(element_bytes) {}

  absl::Status Start() {
    VETTORE_ASSIGN_OR_RETURN(const std::optional<int32_t> head, ReadHead());
    if (!head) return file_.ErrorAt(0, "the file is empty");
    if (*head < 1 || *head > static_cast<int32_t>(limits::kDimension)) {
      return file_.ErrorAt(
          0, StrCat("dimension ", *head, ", 1 to ", limits::kDimension, " is wanted"));
    }
    dimension_ = static_cast<size_t>(*head);
    bytes_.resize(dimension_ * element_bytes_);
    const uint64_t row_bytes = kHeadBytes + bytes_.size();
    if (!file_.size()) return absl::OkStatus();
    if (*file_.size() % row_bytes != 0) {
      return file_.ErrorAt(
          *file_.size() / row_bytes * row_bytes,
          StrCat("the file's size is no multiple of a row's, ", row_bytes, " bytes for dimension ",
                 dimension_, "; it is cut short or holds something else"));
    }
    count_ = *file_.size() / row_bytes;
    return absl::OkStatus();
  }

  size_t dimension() const override { return dimension_; }
  std::optional<uint64_t> count() const override { return count_; }

  absl::StatusOr<bool> Next(std::vector<float>& row) override {
    const uint64_t row_offset = next_ * (kHeadBytes + bytes_.size());
    if (next_ > 0) {
      VETTORE_ASSIGN_OR_RETURN(const std::optional<int32_t> head, ReadHead());
      if (!head) return false;
      if (*head != static_cast<int32_t>(dimension_)) {
        return file_.ErrorAt(row_offset, StrCat("row ", next_, " has dimension ", *head,
                                                ", the rows before have ", dimension_));
      }
    }
    VETTORE_ASSIGN_OR_RETURN(const size_t got, file_.Read(bytes_));
    if (got < bytes_.size()) {
      return file_.ErrorAt(file_.offset(), StrCat("the file ends within row ", next_));
    }
    row.resize(dimension_);
    if (element_bytes_ == sizeof(float)) {
      std::memcpy(row.data(), bytes_.data(), bytes_.size());
    } else {
      for (size_t i = 0; i < dimension_; ++i) row[i] = std::to_integer<uint8_t>(bytes_[i]);
    }
    ++next_;
    return true;
  }

 private:
  // The dimension that opens a row; nullopt at the end of the file.
  absl::StatusOr<std::optional<int32_t>> ReadHead() {
    const uint64_t offset = file_.offset();
    int32_t head = 0;
    VETTORE_ASSIGN_OR_RETURN(const size_t got,
                             file_.Read(std::as_writable_bytes(std::span(&head, 1))));
    if (got == 0) return std::nullopt;
    if (got < kHeadBytes) return file_.ErrorAt(offset, "the file ends within a row's dimension");
    return head;
  }

  InputFile file_;
  const size_t element_bytes_;
  size_t dimension_ = 0;
  std::optional<uint64_t> count_;
  std::vector<std::byte> bytes_;
  uint64_t next_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<VectorRows>> OpenVecsRows(InputFile file, VectorFormat format) {
  const size_t element_bytes = format == VectorFormat::kFvecs ? sizeof(float) : 1;
  auto rows = std::make_unique<VecsRows>(std::move(file), element_bytes);
  VETTORE_RETURN_IF_ERROR(rows->Start());
  return rows;
}

}  // namespace vettore
