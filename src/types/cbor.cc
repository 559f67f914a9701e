// EncodeCbor and DecodeCbor of json.h. Grammar (RFC 8949), definite lengths only:
//   value: 0x00..0x1B unsigned | 0x20..0x3B negative | 0x60..0x7B text | 0x80..0x9B array |
//   0xA0..0xBB map with text
//          keys | 0xF4 false | 0xF5 true | 0xF6 null | 0xFA float | 0xFB double
// The decoder is our own: nlohmann's recurses without bound on nested indefinite lengths, and
// stored bytes may be damaged.
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "types/json.h"

namespace vettore {
namespace {

// Twice the depth of a payload: room for records that wrap one.
constexpr int kMaxDepth = 64;

enum class Major : uint8_t {
  kUnsigned = 0,
  kNegative = 1,
  kBytes = 2,
  kText = 3,
  kArray = 4,
  kMap = 5,
  kTag = 6,
  kSimple = 7,
};

class CborReader {
 public:
  explicit CborReader(std::string_view bytes) : bytes_(bytes) {}

  absl::StatusOr<Json> ReadAll() {
    VETTORE_ASSIGN_OR_RETURN(Json value, Read(1));
    if (offset_ != bytes_.size()) return Damaged("bytes follow the value");
    return value;
  }

 private:
  absl::StatusOr<Json> Read(int depth) {
    if (offset_ == bytes_.size()) return Damaged("ends early");
    const uint8_t head = static_cast<uint8_t>(bytes_[offset_++]);
    const auto major = static_cast<Major>(head >> 5);
    if (major == Major::kSimple) return ReadSimple(head & 0x1F);
    VETTORE_ASSIGN_OR_RETURN(const uint64_t argument, ReadArgument(head & 0x1F));
    switch (major) {
      case Major::kUnsigned:
        if (argument > kInt64Max) return Damaged("an integer past 64 bits with sign");
        return Json(argument);
      case Major::kNegative:
        if (argument > kInt64Max) return Damaged("an integer past 64 bits with sign");
        return Json(-1 - static_cast<int64_t>(argument));
      case Major::kText: {
        VETTORE_ASSIGN_OR_RETURN(const std::string_view text, ReadText(argument));
        return Json(text);
      }
      case Major::kArray:
        return ReadArray(argument, depth);
      case Major::kMap:
        return ReadMap(argument, depth);
      case Major::kBytes:
      case Major::kTag:
      case Major::kSimple:
        break;
    }
    return Damaged("a kind of item that payloads do not hold");
  }

  // The number that follows a head byte, or stands in it.
  absl::StatusOr<uint64_t> ReadArgument(uint8_t info) {
    if (info < 24) return uint64_t{info};
    if (info > 27) return Damaged("an indefinite or reserved length");
    const size_t width = size_t{1} << (info - 24);
    if (bytes_.size() - offset_ < width) return Damaged("ends early");
    uint64_t argument = 0;
    for (size_t i = 0; i < width; ++i) {
      argument = argument << 8 | static_cast<uint8_t>(bytes_[offset_++]);
    }
    return argument;
  }

  absl::StatusOr<Json> ReadSimple(uint8_t info) {
    switch (info) {
      case 20:
        return Json(false);
      case 21:
        return Json(true);
      case 22:
        return Json(nullptr);
      case 26:
      case 27: {
        VETTORE_ASSIGN_OR_RETURN(const uint64_t bits, ReadArgument(info));
        const double value = info == 26 ? double{std::bit_cast<float>(static_cast<uint32_t>(bits))}
                                        : std::bit_cast<double>(bits);
        if (!std::isfinite(value)) return Damaged("a number that is not finite");
        return Json(value);
      }
      default:
        return Damaged("a kind of item that payloads do not hold");
    }
  }

  absl::StatusOr<std::string_view> ReadText(uint64_t size) {
    if (size > bytes_.size() - offset_) return Damaged("ends early");
    const std::string_view text = bytes_.substr(offset_, size);
    if (!IsValidUtf8(text)) return Damaged("text that is not UTF-8");
    offset_ += size;
    return text;
  }

  absl::StatusOr<Json> ReadArray(uint64_t count, int depth) {
    VETTORE_RETURN_IF_ERROR(CheckContainer(count, depth));
    Json array = Json::array();
    for (uint64_t i = 0; i < count; ++i) {
      VETTORE_ASSIGN_OR_RETURN(Json element, Read(depth + 1));
      array.push_back(std::move(element));
    }
    return array;
  }

  absl::StatusOr<Json> ReadMap(uint64_t count, int depth) {
    VETTORE_RETURN_IF_ERROR(CheckContainer(count, depth));
    Json object = Json::object();
    auto& members = object.get_ref<Json::object_t&>();
    for (uint64_t i = 0; i < count; ++i) {
      if (offset_ == bytes_.size()) return Damaged("ends early");
      const uint8_t head = static_cast<uint8_t>(bytes_[offset_++]);
      if (static_cast<Major>(head >> 5) != Major::kText) return Damaged("a key that is not text");
      VETTORE_ASSIGN_OR_RETURN(const uint64_t size, ReadArgument(head & 0x1F));
      VETTORE_ASSIGN_OR_RETURN(const std::string_view key, ReadText(size));
      VETTORE_ASSIGN_OR_RETURN(Json value, Read(depth + 1));
      // Keys are written in order: each goes to the end.
      const size_t before = members.size();
      members.emplace_hint(members.end(), std::string(key), std::move(value));
      if (members.size() == before) return Damaged("a key that stands twice");
    }
    return object;
  }

  absl::Status CheckContainer(uint64_t count, int depth) const {
    if (depth > kMaxDepth) return Damaged("nested too deep");
    // Each element takes at least a byte: a count that cannot be true is refused before it is
    // believed.
    if (count > bytes_.size() - offset_) return Damaged("ends early");
    return absl::OkStatus();
  }

  absl::Status Damaged(std::string_view what) const {
    return absl::DataLossError(StrCat("a stored payload is damaged: ", what, " at byte ", offset_,
                                      " of ", bytes_.size(), " of its CBOR"));
  }

  static constexpr uint64_t kInt64Max = std::numeric_limits<int64_t>::max();
  const std::string_view bytes_;
  size_t offset_ = 0;
};

}  // namespace

std::string EncodeCbor(const Json& value) {
  std::string bytes;
  Json::to_cbor(value, bytes);
  return bytes;
}

absl::StatusOr<Json> DecodeCbor(std::string_view bytes) { return CborReader(bytes).ReadAll(); }

}  // namespace vettore
