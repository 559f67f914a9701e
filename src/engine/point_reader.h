// Reads of points by id, in the order of ids, and their count.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "engine/read_consistency.h"
#include "engine/requests.h"
#include "engine/shard.h"

namespace vettore {

// Each read checks its request and answers from one state of the shard. Thread-safe.
class PointReader {
 public:
  // `shard` must outlive it.
  explicit PointReader(const Shard& shard) : shard_(shard) {}

  // As Collection's.
  absl::StatusOr<std::vector<std::optional<PointRead>>> Get(std::span<const PointId> ids,
                                                            const Selection& selection,
                                                            const CancelToken& cancel) const;
  absl::StatusOr<ScrollPage> Scroll(const ScrollRequest& request, const CancelToken& cancel) const;
  absl::StatusOr<uint64_t> Count(const std::optional<Filter>& filter,
                                 const CancelToken& cancel) const;

 private:
  absl::StatusOr<std::vector<std::optional<PointRead>>> GetLocked(std::span<const PointId> ids,
                                                                  const Selection& selection,
                                                                  const CancelToken& cancel,
                                                                  ReadConflict& conflict) const
      ABSL_SHARED_LOCKS_REQUIRED(shard_.state_mutex);
  absl::StatusOr<ScrollPage> ScrollLocked(const ScrollRequest& request, const CancelToken& cancel,
                                          ReadConflict& conflict) const
      ABSL_SHARED_LOCKS_REQUIRED(shard_.state_mutex);
  absl::StatusOr<uint64_t> CountLocked(const std::optional<Filter>& filter,
                                       const CancelToken& cancel, ReadConflict& conflict) const
      ABSL_SHARED_LOCKS_REQUIRED(shard_.state_mutex);

  // The slots of the page's points by id, and of the one after them if there is one.
  absl::StatusOr<std::vector<Slot>> WalkIds(const ScrollRequest& request, const SlotBitmap* allowed,
                                            const CancelToken& cancel, ReadConflict& conflict) const
      ABSL_SHARED_LOCKS_REQUIRED(shard_.state_mutex);
  std::vector<Slot> SortMatches(const ScrollRequest& request, const SlotBitmap& matches) const
      ABSL_SHARED_LOCKS_REQUIRED(shard_.state_mutex);

  const Shard& shard_;
};

}  // namespace vettore
