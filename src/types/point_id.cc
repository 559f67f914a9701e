#include "types/point_id.h"

#include <optional>

#include "absl/strings/escaping.h"
#include "base/status.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "types/limits.h"

namespace vettore {
namespace {

constexpr char kNumberTag = 0x00;
constexpr char kTextTag = 0x01;

}  // namespace

absl::StatusOr<PointId> PointId::Parse(std::string_view text) {
  if (text.empty() || text.size() > limits::kIdBytes) {
    return absl::InvalidArgumentError(
        StrCat("id: a text id has 1 to ", limits::kIdBytes, " bytes, got ", text.size()));
  }
  if (const std::optional<size_t> offset = FindInvalidUtf8(text)) {
    return absl::InvalidArgumentError(StrCat("id '", absl::CHexEscape(AbslView(text)),
                                             "': invalid UTF-8 at byte offset ", *offset));
  }
  if (const size_t offset = text.find('\0'); offset != std::string_view::npos) {
    return absl::InvalidArgumentError(StrCat("id '", absl::Utf8SafeCHexEscape(AbslView(text)),
                                             "': a NUL at byte offset ", offset,
                                             ", a text id has none"));
  }
  return PointId(std::string(text));
}

std::string PointId::ToString() const {
  if (is_number()) return StrCat(number());
  return StrCat("'", absl::Utf8SafeCHexEscape(AbslView(text())), "'");
}

std::string PointId::Encode() const {
  std::string bytes;
  if (!is_number()) {
    bytes.reserve(1 + text().size());
    bytes += kTextTag;
    bytes += text();
    return bytes;
  }
  bytes += kNumberTag;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(number() >> shift);
  return bytes;
}

absl::StatusOr<PointId> PointId::Decode(std::string_view bytes) {
  if (bytes.size() == 9 && bytes.front() == kNumberTag) {
    uint64_t number = 0;
    for (const char c : bytes.substr(1)) number = number << 8 | static_cast<unsigned char>(c);
    return PointId(number);
  }
  if (!bytes.empty() && bytes.front() == kTextTag) {
    if (absl::StatusOr<PointId> id = Parse(bytes.substr(1)); id.ok()) return id;
  }
  return absl::DataLossError(StrCat("a stored point id of ", bytes.size(), " bytes is malformed: '",
                                    absl::CHexEscape(AbslView(bytes.substr(0, 64))), "'"));
}

}  // namespace vettore
