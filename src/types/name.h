// A validated name of a collection, alias, vector or model.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace vettore {

// 1 to 64 bytes of [A-Za-z0-9_.-], not starting with a dot or a dash: safe in paths, logs and
// metrics. Immutable.
class Name {
 public:
  // `what` names the field in the error: `collection: name 'a/b' ...`.
  static absl::StatusOr<Name> Parse(std::string_view text, std::string_view what);

  const std::string& str() const { return text_; }

  friend auto operator<=>(const Name&, const Name&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Name& name) {
    return H::combine(std::move(h), name.text_);
  }

 private:
  explicit Name(std::string_view text) : text_(text) {}
  std::string text_;
};

}  // namespace vettore
