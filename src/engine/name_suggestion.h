// The name that somebody probably meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace vettore {

// The one of `known` that takes the fewest edits (Levenshtein, 1966) to become `name`, if those are
// at most a third of its length, or one.
std::optional<std::string> SuggestName(std::string_view name, std::span<const std::string> known);

// NotFound: there is no such `what`, a collection or an alias; with the suggestion when there is
// one.
absl::Status UnknownName(std::string_view what, std::string_view name,
                         std::span<const std::string> known);

}  // namespace vettore
