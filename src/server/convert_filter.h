// Filters from protobuf.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "server/field_path.h"
#include "types/filter.h"
#include "vettore/v1/common.pb.h"

namespace vettore {

// InvalidArgument, naming the place, for a node without an alternative and a scalar without a kind.
// Depth and size are counted on the way down, so that nothing is built far past the limits; the
// engine's ValidateFilter checks the rest.
absl::StatusOr<Filter> FilterFromProto(const v1::Filter& filter, const FieldPath& path);

// Of a field `filter` that may be absent.
template <typename Request>
absl::StatusOr<std::optional<Filter>> OptionalFilter(const Request& request) {
  if (!request.has_filter()) return std::optional<Filter>();
  absl::StatusOr<Filter> filter = FilterFromProto(request.filter(), FieldPath("filter"));
  if (!filter.ok()) return std::move(filter).status();
  return std::optional<Filter>(*std::move(filter));
}

}  // namespace vettore
