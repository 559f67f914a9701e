// One JSON object of a JSON Lines file.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "types/json.h"

namespace vettore {

// Parses an object. Unlike ParseJson it lets integers go to 2^64 - 1, which ids may.
// InvalidArgument with the byte within `text`: not an object, malformed, a repeated key, nested
// deeper than `max_depth`, an integer past 64 bits.
absl::StatusOr<Json> ParseJsonRecord(std::string_view text, int max_depth);

}  // namespace vettore
