// Nearest-neighbour search over a shard: filter, index, order, records of the winners.
#pragma once

#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "engine/read_consistency.h"
#include "engine/read_validation.h"
#include "engine/requests.h"
#include "engine/shard.h"

namespace vettore {

// Results are in a total order, distance and then id. The index breaks ties by slot, so where the
// last places are tied it is asked for more, up to kMaxTies more; of longer ties those of the
// lowest slots take part. Thread-safe.
class Searcher {
 public:
  static constexpr size_t kMaxTies = 1'024;

  // `shard` must outlive it.
  explicit Searcher(const Shard& shard) : shard_(shard) {}

  // As Collection's.
  absl::StatusOr<SearchResult> Search(const SearchRequest& request,
                                      const CancelToken& cancel) const;

 private:
  absl::StatusOr<SearchResult> SearchLocked(const SearchRequest& request,
                                            const PreparedQuery& query, const CancelToken& cancel,
                                            ReadConflict& conflict) const
      ABSL_SHARED_LOCKS_REQUIRED(shard_.state_mutex);
  // The nearest k + offset in their total order.
  absl::StatusOr<std::vector<Neighbor>> FindNearest(const PreparedQuery& query,
                                                    IndexSearchOptions options,
                                                    const CancelToken& cancel,
                                                    IndexSearchTrace& trace) const
      ABSL_SHARED_LOCKS_REQUIRED(shard_.state_mutex);

  const Shard& shard_;
};

}  // namespace vettore
