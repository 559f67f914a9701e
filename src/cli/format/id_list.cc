#include "cli/format/id_list.h"

#include <array>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/format/line_reader.h"
#include "cli/format/npy_header.h"
#include "types/limits.h"

namespace vettore {
namespace {

template <typename T>
absl::StatusOr<uint64_t> NumberFrom(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (std::is_signed_v<T>) {
    if (value < 0) return absl::InvalidArgumentError(StrCat("id ", value, " is negative"));
  }
  return static_cast<uint64_t>(value);
}

absl::StatusOr<uint64_t> NumberOf(NpyType type, const std::byte* at) {
  switch (type) {
    case NpyType::kInt32:
      return NumberFrom<int32_t>(at);
    case NpyType::kUint32:
      return NumberFrom<uint32_t>(at);
    case NpyType::kInt64:
      return NumberFrom<int64_t>(at);
    case NpyType::kUint64:
      return NumberFrom<uint64_t>(at);
    case NpyType::kFloat16:
    case NpyType::kFloat32:
    case NpyType::kFloat64:
    case NpyType::kInt8:
    case NpyType::kUint8:
      break;
  }
  return absl::InvalidArgumentError(
      StrCat("the array holds ", NameOf(type), ", ids are <i4, <u4, <i8 or <u8"));
}

class NpyIds : public IdList {
 public:
  NpyIds(InputFile file, NpyHeader header) : file_(std::move(file)), header_(std::move(header)) {}

  absl::StatusOr<std::optional<PointId>> Next() override {
    std::array<std::byte, 8> bytes;
    const std::span<std::byte> item = std::span(bytes).first(SizeOf(header_.type));
    const uint64_t offset = file_.offset();
    VETTORE_ASSIGN_OR_RETURN(const size_t got, file_.Read(item));
    if (got == 0) return std::nullopt;
    if (got < item.size()) return file_.ErrorAt(offset, "the file ends within an id");
    const absl::StatusOr<uint64_t> number = NumberOf(header_.type, item.data());
    if (!number.ok()) return file_.ErrorAt(offset, std::string(number.status().message()));
    return PointId(*number);
  }

 private:
  InputFile file_;
  NpyHeader header_;
};

class TextIds : public IdList {
 public:
  explicit TextIds(InputFile file) : lines_(std::move(file), limits::kIdBytes) {}

  absl::StatusOr<std::optional<PointId>> Next() override {
    VETTORE_ASSIGN_OR_RETURN(const std::optional<Line> line, lines_.Next());
    if (!line) return std::nullopt;
    absl::StatusOr<PointId> id = ParseIdText(line->text);
    if (!id.ok()) return Annotate(id.status(), StrCat(lines_.name(), ":", line->number));
    return *std::move(id);
  }

 private:
  LineReader lines_;
};

}  // namespace

absl::StatusOr<PointId> ParseIdText(std::string_view text) {
  uint64_t number = 0;
  // Only the digits that the number itself would print: "007" and "+7" stay texts.
  if (absl::SimpleAtoi(AbslView(text), &number) && StrCat(number) == text) return PointId(number);
  return PointId::Parse(text);
}

absl::StatusOr<std::unique_ptr<IdList>> OpenIdList(const std::string& path) {
  VETTORE_ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  if (!absl::EndsWithIgnoreCase(path, ".npy")) return std::make_unique<TextIds>(std::move(file));
  VETTORE_ASSIGN_OR_RETURN(NpyHeader header, ReadNpyHeader(file));
  if (header.shape.size() != 1) {
    return file.ErrorAt(0, StrCat("the array has shape (", absl::StrJoin(header.shape, ", "),
                                  "), ids have the shape (count)"));
  }
  const std::array<std::byte, 8> zero{};
  const absl::StatusOr<uint64_t> number = NumberOf(header.type, zero.data());
  if (!number.ok()) return file.ErrorAt(0, std::string(number.status().message()));
  return std::make_unique<NpyIds>(std::move(file), std::move(header));
}

}  // namespace vettore
