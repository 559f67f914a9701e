// Rows of floats out of a .npy file.
#include <bit>
#include <cstring>
#include <span>
#include <utility>

#include "absl/strings/str_join.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/format/npy_header.h"
#include "cli/format/vector_rows.h"
#include "types/limits.h"

namespace vettore {
namespace {

// IEEE 754 binary16 to binary32, exact.
float FloatOfHalf(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  const uint32_t exponent = (half >> 10) & 0x1F;
  const uint32_t fraction = half & 0x3FF;
  if (exponent == 0) {  // Zero or subnormal: fraction * 2^-24.
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return sign == 0 ? magnitude : -magnitude;
  }
  const uint32_t wide = exponent == 0x1F ? 0xFF : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

template <typename T>
T Load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

bool IsVectorType(NpyType type) {
  switch (type) {
    case NpyType::kFloat16:
    case NpyType::kFloat32:
    case NpyType::kFloat64:
    case NpyType::kInt8:
    case NpyType::kUint8:
      return true;
    case NpyType::kInt32:
    case NpyType::kUint32:
    case NpyType::kInt64:
    case NpyType::kUint64:
      return false;
  }
  return false;
}

float ElementAt(NpyType type, const std::byte* row, size_t i) {
  const std::byte* at = row + i * SizeOf(type);
  switch (type) {
    case NpyType::kFloat16:
      return FloatOfHalf(Load<uint16_t>(at));
    case NpyType::kFloat32:
      return Load<float>(at);
    case NpyType::kFloat64:
      return static_cast<float>(Load<double>(at));
    case NpyType::kInt8:
      return static_cast<float>(Load<int8_t>(at));
    case NpyType::kUint8:
      return static_cast<float>(Load<uint8_t>(at));
    case NpyType::kInt32:
    case NpyType::kUint32:
    case NpyType::kInt64:
    case NpyType::kUint64:
      break;
  }
  return 0;
}

class NpyRows : public VectorRows {
 public:
  NpyRows(InputFile file, NpyType type, uint64_t count, size_t dimension)
      : file_(std::move(file)),
        type_(type),
        count_(count),
        dimension_(dimension),
        bytes_(dimension * SizeOf(type)) {}

  size_t dimension() const override { return dimension_; }
  std::optional<uint64_t> count() const override { return count_; }

  absl::StatusOr<bool> Next(std::vector<float>& row) override {
    if (next_ == count_) return AtEnd();
    const uint64_t offset = file_.offset();
    VETTORE_ASSIGN_OR_RETURN(const size_t got, file_.Read(bytes_));
    if (got < bytes_.size()) {
      return file_.ErrorAt(offset + got,
                           StrCat("the file ends within row ", next_, " of ", count_));
    }
    row.resize(dimension_);
    for (size_t i = 0; i < dimension_; ++i) row[i] = ElementAt(type_, bytes_.data(), i);
    ++next_;
    return true;
  }

 private:
  absl::StatusOr<bool> AtEnd() {
    std::byte beyond;
    VETTORE_ASSIGN_OR_RETURN(const size_t got, file_.Read({&beyond, 1}));
    if (got == 0) return false;
    return file_.ErrorAt(file_.offset() - 1, "data after the last row");
  }

  InputFile file_;
  const NpyType type_;
  const uint64_t count_;
  const size_t dimension_;
  std::vector<std::byte> bytes_;  // of one row
  uint64_t next_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<VectorRows>> OpenNpyRows(InputFile file,
                                                        OneDimensional one_dimensional) {
  VETTORE_ASSIGN_OR_RETURN(NpyHeader header, ReadNpyHeader(file));
  if (header.shape.size() == 1 && one_dimensional == OneDimensional::kOneRow) {
    header.shape.insert(header.shape.begin(), 1);
  }
  if (header.shape.size() != 2) {
    return file.ErrorAt(0, StrCat("the array has shape (", absl::StrJoin(header.shape, ", "),
                                  "), (count, dimension) is wanted"));
  }
  if (!IsVectorType(header.type)) {
    return file.ErrorAt(0, StrCat("the array holds ", NameOf(header.type),
                                  ", vectors are <f4, <f2, <f8, |i1 or |u1"));
  }
  if (header.shape[1] == 0 || header.shape[1] > limits::kDimension) {
    return file.ErrorAt(
        0, StrCat("dimension ", header.shape[1], ", 1 to ", limits::kDimension, " is wanted"));
  }
  return std::make_unique<NpyRows>(std::move(file), header.type, header.shape[0],
                                   static_cast<size_t>(header.shape[1]));
}

}  // namespace vettore
