#include "support/zstd_file.h"

#include <zstd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/file.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

float HalfToFloat(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int mantissa = bits & 1023;
  const float magnitude = exponent == 0
                              ? std::ldexp(static_cast<float>(mantissa), -24)
                              : std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

}  // namespace

std::optional<std::filesystem::path> DirectoryFromEnvironment(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || !std::filesystem::is_directory(value)) return std::nullopt;
  return value;
}

std::filesystem::path SourceDirectory() { return VETTORE_SOURCE_DIR; }

absl::StatusOr<std::string> ReadZstdFile(const std::filesystem::path& path) {
  VETTORE_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                   ZSTD_freeDCtx);
  std::string out;
  std::vector<char> buffer(ZSTD_DStreamOutSize());
  ZSTD_inBuffer input = {file.bytes().data(), file.bytes().size(), 0};
  while (input.pos < input.size) {
    ZSTD_outBuffer output = {buffer.data(), buffer.size(), 0};
    const size_t left = ZSTD_decompressStream(context.get(), &output, &input);
    if (ZSTD_isError(left) != 0) {
      return absl::DataLossError(StrCat(path.string(), ": ", ZSTD_getErrorName(left)));
    }
    out.append(buffer.data(), output.pos);
  }
  // What the decoder still holds.
  for (bool is_full = true; is_full;) {
    ZSTD_outBuffer output = {buffer.data(), buffer.size(), 0};
    const size_t left = ZSTD_decompressStream(context.get(), &output, &input);
    if (ZSTD_isError(left) != 0) break;
    out.append(buffer.data(), output.pos);
    is_full = output.pos == output.size;
  }
  return out;
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

absl::StatusOr<std::vector<Json>> ParseJsonLines(std::string_view text) {
  std::vector<Json> values;
  for (std::string_view line : Lines(text)) {
    values.push_back(Json::parse(line, nullptr, /*allow_exceptions=*/false));
    if (values.back().is_discarded()) {
      return absl::InvalidArgumentError(StrCat("line ", values.size(), " is not JSON"));
    }
  }
  return values;
}

absl::StatusOr<FloatMatrix> ParseNpy(std::string_view bytes) {
  if (bytes.size() < 10 || bytes.substr(0, 6) != "\x93NUMPY") {
    return absl::InvalidArgumentError("not an .npy file");
  }
  uint16_t header_size;
  std::memcpy(&header_size, bytes.data() + 8, sizeof header_size);
  const std::string header(bytes.substr(10, header_size));
  const std::string_view data = bytes.substr(std::min<size_t>(bytes.size(), 10 + header_size));
  FloatMatrix matrix;
  const size_t shape = header.find("'shape': (");
  if (shape == std::string::npos || std::sscanf(header.c_str() + shape, "'shape': (%zu, %zu)",
                                                &matrix.rows, &matrix.columns) != 2) {
    return absl::InvalidArgumentError(StrCat("expected two dimensions: ", header));
  }
  const bool is_f4 = header.find("'<f4'") != std::string::npos;
  const bool is_f2 = header.find("'<f2'") != std::string::npos;
  const size_t count = matrix.rows * matrix.columns;
  if (is_f4 == is_f2 || data.size() != count * (is_f4 ? 4 : 2)) {
    return absl::InvalidArgumentError(StrCat("expected '<f4' or '<f2': ", header));
  }
  matrix.values.resize(count);
  if (is_f4) {
    std::memcpy(matrix.values.data(), data.data(), data.size());
    return matrix;
  }
  for (size_t i = 0; i < count; ++i) {
    uint16_t half;
    std::memcpy(&half, data.data() + 2 * i, sizeof half);
    matrix.values[i] = HalfToFloat(half);
  }
  return matrix;
}

absl::StatusOr<std::string_view> FindInTar(std::string_view archive, std::string_view name) {
  constexpr size_t kBlock = 512;
  while (archive.size() >= kBlock && archive[0] != '\0') {
    const std::string_view entry = archive.substr(0, 100);
    const std::string size_text(archive.substr(124, 12));
    const size_t size = std::strtoull(size_text.c_str(), nullptr, 8);
    if (size > archive.size() - kBlock) break;
    if (entry.substr(0, entry.find('\0')).ends_with(name)) return archive.substr(kBlock, size);
    archive.remove_prefix(std::min(archive.size(), kBlock + (size + kBlock - 1) / kBlock * kBlock));
  }
  return absl::NotFoundError(StrCat("no ", name, " in the archive"));
}

}  // namespace vettore
