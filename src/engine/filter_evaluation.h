// Which points of a shard match a filter.
#pragma once

#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "engine/read_consistency.h"
#include "engine/shard.h"

namespace vettore {

// Exactly the points that match in the state that memory shows, unless `conflict` is set. `filter`
// is validated.
absl::StatusOr<FilterResult> EvaluateFilter(const Shard& shard, const Filter& filter,
                                            const CancelToken& cancel, ReadConflict& conflict)
    ABSL_SHARED_LOCKS_REQUIRED(shard.state_mutex);

}  // namespace vettore
