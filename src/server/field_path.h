// Where in a request a value stands, for error messages: "points[3].payload.author".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/strings.h"

namespace vettore {

// A chain of borrows that costs nothing until it is printed: each part lives on the stack of the
// function that reads that part of the request. Immutable.
class FieldPath {
 public:
  explicit FieldPath(std::string_view name) : name_(name) {}
  FieldPath(std::string_view name, size_t index) : name_(name), index_(index) {}
  FieldPath(const FieldPath& parent, std::string_view name) : parent_(&parent), name_(name) {}
  // An element of a repeated field; with an empty name, of the parent itself.
  FieldPath(const FieldPath& parent, std::string_view name, size_t index)
      : parent_(&parent), name_(name), index_(index) {}

  std::string ToString() const {
    std::string out = parent_ == nullptr ? "" : parent_->ToString();
    if (parent_ != nullptr && !name_.empty()) out += '.';
    StrAppend(&out, name_.substr(0, kShownBytes));
    if (index_ != kNone) StrAppend(&out, "[", index_, "]");
    return out;
  }

  // InvalidArgument: `path: message`.
  absl::Status Invalid(std::string_view message) const {
    return absl::InvalidArgumentError(StrCat(ToString(), ": ", message));
  }

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);
  static constexpr size_t kShownBytes = 100;

  const FieldPath* parent_ = nullptr;
  std::string_view name_;
  size_t index_ = kNone;
};

}  // namespace vettore
