// From slots to points as a caller sees them.
#pragma once

#include <span>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "engine/read_consistency.h"
#include "engine/requests.h"
#include "engine/shard.h"

namespace vettore {

struct FetchedPoints {
  std::vector<PointRead> points;
  size_t bytes = 0;  // Of their vectors and payloads.
};

// The points of distinct live `slots`, in their order, with what the validated `selection` asks
// for; ResourceExhausted when that is more than its max_bytes. Unless `conflict` is set, they are
// as memory shows them.
absl::StatusOr<FetchedPoints> FetchPoints(const Shard& shard, std::span<const Slot> slots,
                                          const Selection& selection, const CancelToken& cancel,
                                          ReadConflict& conflict)
    ABSL_SHARED_LOCKS_REQUIRED(shard.state_mutex);

// The parts of `payload` at the dotted `paths`, where they stood; paths that lead nowhere are left
// out.
Json SelectPaths(const Json& payload, std::span<const std::string> paths);

}  // namespace vettore
