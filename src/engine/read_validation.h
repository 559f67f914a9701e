// What a read may ask for.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/requests.h"

namespace vettore {

// InvalidArgument for a vector name that the collection does not have, or an empty payload path.
absl::Status ValidateSelection(const Selection& selection, const CollectionConfig& config);

absl::Status ValidateScroll(const ScrollRequest& request, const CollectionConfig& config);

// What a validated search looks for.
struct PreparedQuery {
  size_t ordinal = 0;         // Of the vector in the config.
  std::vector<float> values;  // (dimension), unit length for cosine.
};

// InvalidArgument names the field, what was wanted and what was got; no number of the request is
// used before it is checked.
absl::StatusOr<PreparedQuery> PrepareQuery(const SearchRequest& request,
                                           const CollectionConfig& config);

}  // namespace vettore
