// The .npy format, versions 1 and 2: magic, version, header length, a Python dictionary as text,
// then the values.
#include "bench/npy_matrix.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "base/file.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore::bench {
namespace {

static_assert(std::endian::native == std::endian::little);

struct Npy {
  std::string bytes;
  std::string type;  // As in the header: "<f4"
  size_t count = 0;
  size_t dim = 0;
  size_t begin = 0;  // Of the values in `bytes`.
};

// What stands between `open` and `close` after `key`.
std::optional<std::string_view> Between(std::string_view header, std::string_view key, char open,
                                        char close) {
  const size_t at = header.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  const size_t begin = header.find(open, at + key.size());
  if (begin == std::string_view::npos) return std::nullopt;
  const size_t end = header.find(close, begin + 1);
  if (end == std::string_view::npos) return std::nullopt;
  return header.substr(begin + 1, end - begin - 1);
}

absl::Status Malformed(const std::filesystem::path& path, std::string_view what) {
  return absl::InvalidArgumentError(StrCat(path.string(), ": ", what));
}

absl::StatusOr<Npy> ReadNpy(const std::filesystem::path& path) {
  Npy npy;
  VETTORE_ASSIGN_OR_RETURN(npy.bytes, ReadFile(path, size_t{16} << 30));
  const std::string& bytes = npy.bytes;
  if (bytes.size() < 12 || bytes.compare(0, 6, "\x93NUMPY") != 0) {
    return Malformed(path, "not a .npy file");
  }
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(bytes[i])); };
  const bool is_long = byte(6) >= 2;
  const size_t text_begin = is_long ? 12 : 10;
  const size_t text_size =
      byte(8) | byte(9) << 8 | (is_long ? byte(10) << 16 | byte(11) << 24 : size_t{0});
  npy.begin = text_begin + text_size;
  if (npy.begin > bytes.size()) return Malformed(path, "the header is cut off");
  const std::string_view header = std::string_view(bytes).substr(text_begin, text_size);

  const auto type = Between(header, "'descr':", '\'', '\'');
  const auto shape = Between(header, "'shape':", '(', ')');
  if (!type.has_value() || !shape.has_value() ||
      header.find("'fortran_order': False") == std::string_view::npos) {
    return Malformed(path, "the header lacks descr, shape or C order");
  }
  npy.type = std::string(*type);
  const size_t comma = shape->find(',');
  uint64_t count = 0;
  uint64_t dim = 0;
  if (comma == std::string_view::npos ||
      !absl::SimpleAtoi(AbslView(shape->substr(0, comma)), &count) ||
      !absl::SimpleAtoi(AbslView(shape->substr(comma + 1)), &dim)) {
    return Malformed(path, StrCat("wanted two dimensions, got (", *shape, ")"));
  }
  npy.count = count;
  npy.dim = dim;
  return npy;
}

float HalfToFloat(uint16_t half) {
  const int exponent = half >> 10 & 0x1F;
  const int fraction = half & 0x3FF;
  const float sign = (half & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
}

template <typename Stored, typename T, typename Convert>
absl::StatusOr<Matrix<T>> Values(const Npy& npy, const std::filesystem::path& path,
                                 Convert convert) {
  const size_t available = (npy.bytes.size() - npy.begin) / sizeof(Stored);
  if (npy.dim == 0 || npy.count != available / npy.dim || available % npy.dim != 0) {
    return Malformed(path,
                     StrCat("wanted ", npy.count, " x ", npy.dim, " values, got ", available));
  }
  Matrix<T> matrix{.values = std::vector<T>(available), .count = npy.count, .dim = npy.dim};
  for (size_t i = 0; i < available; ++i) {
    Stored stored;
    std::memcpy(&stored, npy.bytes.data() + npy.begin + i * sizeof(Stored), sizeof(Stored));
    matrix.values[i] = convert(stored);
  }
  return matrix;
}

}  // namespace

absl::StatusOr<Matrix<float>> ReadVectors(const std::filesystem::path& path) {
  VETTORE_ASSIGN_OR_RETURN(const Npy npy, ReadNpy(path));
  const auto as_float = [](auto stored) { return static_cast<float>(stored); };
  if (npy.type == "|u1") return Values<uint8_t, float>(npy, path, as_float);
  if (npy.type == "|i1") return Values<int8_t, float>(npy, path, as_float);
  if (npy.type == "<f2") return Values<uint16_t, float>(npy, path, HalfToFloat);
  if (npy.type == "<f4") return Values<float, float>(npy, path, as_float);
  return Malformed(path, StrCat("wanted u1, i1, f2 or f4 values, got ", npy.type));
}

absl::StatusOr<Matrix<int32_t>> ReadIds(const std::filesystem::path& path) {
  VETTORE_ASSIGN_OR_RETURN(const Npy npy, ReadNpy(path));
  if (npy.type != "<i4") return Malformed(path, StrCat("wanted i4 values, got ", npy.type));
  return Values<int32_t, int32_t>(npy, path, [](int32_t stored) { return stored; });
}

}  // namespace vettore::bench
