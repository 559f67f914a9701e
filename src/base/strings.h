// Joining text. Debian builds abseil with a string view of its own, to which std::string_view does
// not convert; what meets abseil's strings goes through here.
#pragma once

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace vettore {

// The same view in the other type; each borrows what its argument borrows.
inline absl::string_view AbslView(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view StdView(absl::string_view text) { return {text.data(), text.size()}; }

namespace strings_internal {

template <typename T>
const T& Piece(const T& piece) {
  return piece;
}
inline absl::string_view Piece(const std::string_view& piece) { return AbslView(piece); }

}  // namespace strings_internal

// As absl::StrCat and absl::StrAppend, with std::string_view among the pieces.
template <typename... Pieces>
[[nodiscard]] std::string StrCat(const Pieces&... pieces) {
  return absl::StrCat(strings_internal::Piece(pieces)...);
}
template <typename... Pieces>
void StrAppend(std::string* out, const Pieces&... pieces) {
  absl::StrAppend(out, strings_internal::Piece(pieces)...);
}

}  // namespace vettore
