// From the name of a vector to its place in the collection's config.
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/status/statusor.h"
#include "types/collection_config.h"

namespace vettore {

// The index of the vector in `config.vectors`. InvalidArgument names those that there are.
absl::StatusOr<size_t> FindVectorOrdinal(const CollectionConfig& config, std::string_view name);

}  // namespace vettore
