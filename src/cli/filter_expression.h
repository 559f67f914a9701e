// Filters as people type them:
//
//   expression := all { "or" all }
//   all        := one { "and" one }
//   one        := "not" one | "(" expression ")" | condition
//   condition  := field ("=" | "!=" | "<" | "<=" | ">" | ">=") value
//               | field "in" "(" value { "," value } ")"
//               | field "exists"
//   field      := a word, or "..." with \" and \\ within
//   value      := a JSON number, true, false, "..." or '...', or a word
//
//   metadata.year >= 1960 and (metadata.author = "Lem" or metadata.tags in (robots, space))
//
// A text that opens with '{' is a Filter of the API as JSON instead.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "vettore/v1/common.pb.h"

namespace vettore {

// Usage error with the byte within `text` and what was wanted there.
absl::StatusOr<v1::Filter> ParseFilterExpression(std::string_view text);

}  // namespace vettore
