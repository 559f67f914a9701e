// .npy (versions 1 to 3): "\x93NUMPY", u8 major, u8 minor, u16 (version 1) or u32 header length, a
// Python dictionary as text, then the values row after row.
// .fvecs, .bvecs, .ivecs: for each row an i32 dimension and as many f32, u8 or i32.
#include "bench/vector_file.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "base/status.h"
#include "base/strings.h"
#include "bench/byte_source.h"
#include "bench/value_decoder.h"
#include "types/limits.h"

namespace vettore::bench {
namespace {

constexpr size_t kHeaderBytes = size_t{1} << 16;
constexpr uint64_t kMostRows = 0x7FFFFFFF;  // Row numbers are i32.

struct NpyHeader {
  std::string type;  // As in the header: "<f4"
  uint64_t count = 0;
  uint64_t dim = 0;
};

// What stands between `marks` (an opening and a closing one) after `key`.
std::optional<std::string_view> Between(std::string_view header, std::string_view key,
                                        std::string_view marks) {
  const size_t at = header.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  const size_t begin = header.find(marks[0], at + key.size());
  if (begin == std::string_view::npos) return std::nullopt;
  const size_t end = header.find(marks[1], begin + 1);
  if (end == std::string_view::npos) return std::nullopt;
  return header.substr(begin + 1, end - begin - 1);
}

absl::StatusOr<std::string> ReadNpyHeaderText(ByteSource& source) {
  std::array<char, 8> opening{};
  VETTORE_RETURN_IF_ERROR(source.Read(opening));
  if (std::string_view(opening.data(), 6) != "\x93NUMPY") {
    return source.Malformed("not a .npy file");
  }
  std::array<char, 4> length{};
  const size_t length_bytes = opening[6] == 1 ? 2 : 4;
  VETTORE_RETURN_IF_ERROR(source.Read({length.data(), length_bytes}));
  size_t size = 0;
  for (size_t i = length_bytes; i-- > 0;) size = size << 8 | static_cast<uint8_t>(length[i]);
  if (size > kHeaderBytes) return source.Malformed(StrCat("its header claims ", size, " bytes"));
  std::string text(size, '\0');
  VETTORE_RETURN_IF_ERROR(source.Read(text));
  return text;
}

absl::StatusOr<NpyHeader> ReadNpyHeader(ByteSource& source) {
  VETTORE_ASSIGN_OR_RETURN(const std::string header, ReadNpyHeaderText(source));
  const auto type = Between(header, "'descr':", "''");
  const auto shape = Between(header, "'shape':", "()");
  if (!type.has_value() || !shape.has_value()) {
    return source.Malformed("the header lacks descr or shape");
  }
  if (header.find("'fortran_order': False") == std::string::npos) {
    return source.Malformed("wanted C order, got Fortran order");
  }
  NpyHeader npy{.type = std::string(*type)};
  const size_t comma = shape->find(',');
  if (comma == std::string_view::npos ||
      !absl::SimpleAtoi(AbslView(shape->substr(0, comma)), &npy.count) ||
      !absl::SimpleAtoi(AbslView(shape->substr(comma + 1)), &npy.dim)) {
    return source.Malformed(StrCat("wanted two dimensions, got (", *shape, ")"));
  }
  if (npy.dim == 0 || npy.dim > limits::kDimension || npy.count > kMostRows) {
    return source.Malformed(StrCat("wanted up to ", kMostRows, " rows of 1 to ", limits::kDimension,
                                   " values, got (", *shape, ")"));
  }
  return npy;
}

std::optional<ElementType> TypeOfNpy(std::string_view type) {
  if (type == "|u1") return ElementType::kU8;
  if (type == "|i1") return ElementType::kI8;
  if (type == "<f2") return ElementType::kF16;
  if (type == "<f4") return ElementType::kF32;
  if (type == "<f8") return ElementType::kF64;
  if (type == "<i4") return ElementType::kI32;
  return std::nullopt;
}

absl::Status ExpectEnd(ByteSource& source) {
  VETTORE_ASSIGN_OR_RETURN(const bool at_end, source.AtEnd());
  return at_end ? absl::OkStatus() : source.Malformed("bytes follow the last row");
}

template <typename T>
absl::StatusOr<Matrix<T>> ReadNpy(ByteSource& source) {
  VETTORE_ASSIGN_OR_RETURN(const NpyHeader npy, ReadNpyHeader(source));
  const std::optional<ElementType> type = TypeOfNpy(npy.type);
  constexpr bool kIds = std::is_same_v<T, int32_t>;
  if (!type || (kIds && type != ElementType::kI32)) {
    return source.Malformed(StrCat("wanted ", kIds ? "<i4" : "|u1, |i1, <f2, <f4, <f8 or <i4",
                                   " values, got ", npy.type));
  }
  Matrix<T> matrix{.count = npy.count, .dim = npy.dim};
  const uint64_t values = npy.count * npy.dim;
  if (values <= source.most_left() / SizeOf(*type)) matrix.values.reserve(values);
  if constexpr (kIds) {
    VETTORE_RETURN_IF_ERROR(AppendValues(source, values, matrix.values));
  } else {
    VETTORE_RETURN_IF_ERROR(AppendValues(source, *type, values, matrix.values));
  }
  VETTORE_RETURN_IF_ERROR(ExpectEnd(source));
  return matrix;
}

// type: of the values; kI32 where T is int32_t.
template <typename T>
absl::StatusOr<Matrix<T>> ReadVecs(ByteSource& source, ElementType type) {
  Matrix<T> matrix;
  while (true) {
    VETTORE_ASSIGN_OR_RETURN(const bool at_end, source.AtEnd());
    if (at_end) break;
    std::vector<int32_t> dim;
    VETTORE_RETURN_IF_ERROR(AppendValues(source, 1, dim));
    if (dim[0] < 1 || dim[0] > static_cast<int32_t>(limits::kDimension)) {
      return source.Malformed(StrCat("row ", matrix.count, ": wanted 1 to ", limits::kDimension,
                                     " values, got ", dim[0]));
    }
    if (matrix.count == 0) {
      matrix.dim = static_cast<size_t>(dim[0]);
      const uint64_t row_bytes = sizeof(int32_t) + matrix.dim * SizeOf(type);
      matrix.values.reserve((source.most_left() / row_bytes + 1) * matrix.dim);
    }
    if (matrix.count == kMostRows) return source.Malformed("there are too many rows");
    if (static_cast<size_t>(dim[0]) != matrix.dim) {
      return source.Malformed(StrCat("row ", matrix.count, ": dimension ", dim[0],
                                     ", the rows before have ", matrix.dim));
    }
    if constexpr (std::is_same_v<T, int32_t>) {
      VETTORE_RETURN_IF_ERROR(AppendValues(source, matrix.dim, matrix.values));
    } else {
      VETTORE_RETURN_IF_ERROR(AppendValues(source, type, matrix.dim, matrix.values));
    }
    ++matrix.count;
  }
  return matrix;
}

absl::StatusOr<Matrix<float>> ReadAnyVectors(ByteSource& source, std::string_view extension) {
  if (extension == ".npy") return ReadNpy<float>(source);
  if (extension == ".fvecs") return ReadVecs<float>(source, ElementType::kF32);
  if (extension == ".bvecs") return ReadVecs<float>(source, ElementType::kU8);
  if (extension == ".ivecs") return ReadVecs<float>(source, ElementType::kI32);
  return source.Malformed("wanted a .npy, .fvecs, .bvecs or .ivecs file (.zst may follow)");
}

}  // namespace

bool IsVectorFile(const std::filesystem::path& path) {
  const std::string extension = DataExtension(path);
  return extension == ".npy" || extension == ".fvecs" || extension == ".bvecs" ||
         extension == ".ivecs";
}

absl::StatusOr<Matrix<float>> ReadVectors(const std::filesystem::path& path) {
  VETTORE_ASSIGN_OR_RETURN(const std::unique_ptr<ByteSource> source, ByteSource::Open(path));
  VETTORE_ASSIGN_OR_RETURN(Matrix<float> matrix, ReadAnyVectors(*source, DataExtension(path)));
  if (matrix.count == 0) return source->Malformed("there are no vectors in it");
  for (size_t i = 0; i < matrix.values.size(); ++i) {
    if (std::isfinite(matrix.values[i])) continue;
    return source->Malformed(StrCat("row ", i / matrix.dim, ", entry ", i % matrix.dim,
                                    ": wanted a finite number, got ", matrix.values[i]));
  }
  return matrix;
}

absl::StatusOr<Neighbors> ReadNeighbors(const std::filesystem::path& path) {
  VETTORE_ASSIGN_OR_RETURN(const std::unique_ptr<ByteSource> source, ByteSource::Open(path));
  const std::string extension = DataExtension(path);
  if (extension == ".npy") return ReadNpy<int32_t>(*source);
  if (extension == ".ivecs") return ReadVecs<int32_t>(*source, ElementType::kI32);
  return source->Malformed("wanted row numbers as a .npy or .ivecs file (.zst may follow)");
}

}  // namespace vettore::bench
