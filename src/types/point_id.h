// The user's id of a point: an unsigned 64-bit integer or a string.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace vettore {

// Integers sort before strings; integers by value, strings by bytes. Immutable.
class PointId {
 public:
  explicit PointId(uint64_t number) : number_(number) {}
  // 1 to limits::kIdBytes bytes of valid UTF-8 without NUL.
  static absl::StatusOr<PointId> Parse(std::string_view text);

  bool is_number() const { return text_.empty(); }
  uint64_t number() const { return number_; }        // is_number()
  const std::string& text() const { return text_; }  // !is_number()

  // For messages and logs: 17 or 'abc'.
  std::string ToString() const;

  // A form whose byte order is the order of ids: 0x00 and eight big-endian bytes, or 0x01 and the
  // text.
  std::string Encode() const;
  static absl::StatusOr<PointId> Decode(std::string_view bytes);  // DataLoss

  friend auto operator<=>(const PointId&, const PointId&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const PointId& id) {
    return H::combine(std::move(h), id.text_, id.number_);
  }

 private:
  explicit PointId(std::string text) : text_(std::move(text)) {}
  // No text id is empty, so an empty text is a number's; compared in this order, numbers come
  // first.
  std::string text_;
  uint64_t number_ = 0;
};

}  // namespace vettore
