// ValidatePayload of json.h: one bounded walk over a payload that a client sent.
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/strings/escaping.h"
#include "base/status.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "types/json.h"
#include "types/limits.h"

namespace vettore {
namespace {

// Stops at the first fault, at the depth limit and at the size limit, so that a walk costs no more
// than the limits.
class PayloadCheck {
 public:
  explicit PayloadCheck(std::string_view where) : where_(where) {}

  absl::Status Check(const Json& value) {
    switch (value.type()) {
      case Json::value_t::null:
        return Count(4);
      case Json::value_t::boolean:
        return Count(value.get<bool>() ? 4 : 5);
      case Json::value_t::number_integer:
        return CountNumber(value.get<int64_t>());
      case Json::value_t::number_unsigned:
        return CheckUnsigned(value.get<uint64_t>());
      case Json::value_t::number_float:
        return CheckDouble(value.get<double>());
      case Json::value_t::string:
        return CheckString(value.get_ref<const std::string&>(), "a string");
      case Json::value_t::array:
        return CheckArray(value);
      case Json::value_t::object:
        return CheckObject(value);
      case Json::value_t::binary:
      case Json::value_t::discarded:
        break;
    }
    return Refuse("a value that is not JSON");
  }

 private:
  absl::Status CheckObject(const Json& object) {
    VETTORE_RETURN_IF_ERROR(Descend(object));
    for (auto member = object.begin(); member != object.end(); ++member) {
      VETTORE_RETURN_IF_ERROR(CheckString(member.key(), "a key"));
      VETTORE_RETURN_IF_ERROR(Count(1));  // The colon.
      const size_t outer = path_.size();
      StrAppend(&path_, outer == 0 ? "" : ".", member.key());
      VETTORE_RETURN_IF_ERROR(Check(member.value()));
      path_.resize(outer);
    }
    --depth_;
    return absl::OkStatus();
  }

  absl::Status CheckArray(const Json& array) {
    VETTORE_RETURN_IF_ERROR(Descend(array));
    for (size_t i = 0; i < array.size(); ++i) {
      const size_t outer = path_.size();
      StrAppend(&path_, "[", i, "]");
      VETTORE_RETURN_IF_ERROR(Check(array[i]));
      path_.resize(outer);
    }
    --depth_;
    return absl::OkStatus();
  }

  absl::Status Descend(const Json& container) {
    if (++depth_ > limits::kPayloadDepth) {
      return Refuse(StrCat("nested deeper than ", limits::kPayloadDepth, " levels"));
    }
    // Two brackets and the commas.
    return Count(2 + (container.empty() ? 0 : container.size() - 1));
  }

  absl::Status CheckUnsigned(uint64_t value) {
    if (value > uint64_t{std::numeric_limits<int64_t>::max()}) {
      return Refuse(StrCat("integer ", value, " does not fit 64 bits with sign"));
    }
    return CountNumber(value);
  }

  absl::Status CheckDouble(double value) {
    if (!std::isfinite(value)) return Refuse(StrCat("number ", value, " is not finite"));
    return CountNumber(value);
  }

  absl::Status CheckString(std::string_view text, std::string_view what) {
    VETTORE_RETURN_IF_ERROR(Count(2 + text.size()));
    if (const std::optional<size_t> offset = FindInvalidUtf8(text)) {
      return Refuse(StrCat(what, " with invalid UTF-8 at its byte offset ", *offset));
    }
    size_t escapes = 0;
    for (const char c : text) {
      if (c == '"' || c == '\\' || c == '\b' || c == '\f' || c == '\n' || c == '\r' || c == '\t') {
        escapes += 1;  // A backslash before it.
      } else if (static_cast<unsigned char>(c) < 0x20) {
        escapes += 5;  // \u00XX
      }
    }
    return Count(escapes);
  }

  template <typename Number>
  absl::Status CountNumber(Number value) {
    char digits[32];  // The longest, a double, takes 24.
    return Count(
        static_cast<size_t>(std::to_chars(digits, digits + sizeof digits, value).ptr - digits));
  }

  absl::Status Count(size_t bytes) {
    if (bytes > limits::kPayloadBytes - bytes_) {
      return absl::InvalidArgumentError(StrCat(where_, ": payload is larger than ",
                                               limits::kPayloadBytes, " bytes as JSON text"));
    }
    bytes_ += bytes;
    return absl::OkStatus();
  }

  absl::Status Refuse(std::string_view what) const {
    constexpr size_t kShownPathBytes = 100;
    const std::string place =
        path_.empty() ? "payload"
                      : StrCat("payload field '",
                               absl::Utf8SafeCHexEscape(AbslView(path_.substr(0, kShownPathBytes))),
                               path_.size() > kShownPathBytes ? "...'" : "'");
    return absl::InvalidArgumentError(StrCat(where_, ": ", place, ": ", what));
  }

  const std::string_view where_;
  std::string path_;
  int depth_ = 0;
  size_t bytes_ = 0;
};

}  // namespace

absl::Status ValidatePayload(const Json& payload, std::string_view where) {
  if (!payload.is_object()) {
    return absl::InvalidArgumentError(
        StrCat(where, ": payload: wanted an object, got ", payload.type_name()));
  }
  return PayloadCheck(where).Check(payload);
}

}  // namespace vettore
