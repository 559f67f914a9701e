// Nearest-neighbour search over a shard: filter, index, order, records of the winners.
#pragma once

#include <span>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "engine/read_consistency.h"
#include "engine/read_validation.h"
#include "engine/requests.h"
#include "engine/shard.h"

namespace vettore {

// Whether they ask the same of different queries, so that they can be made together.
bool AsksTheSame(const SearchRequest& a, const SearchRequest& b);

// ResourceExhausted.
absl::Status MoreThanAReplyHolds(size_t max_bytes);

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

  // Of searches that ask the same of different queries.
  struct Together {
    std::span<const SearchRequest> requests;  // Not empty.
    std::span<const PreparedQuery> queries;   // Theirs.
    size_t bytes_before;                      // Of the reply's results that were found before.
    size_t max_bytes;                         // Of all of them.
  };
  struct Found {
    std::vector<SearchResult> results;  // In the order of the requests.
    size_t bytes = 0;                   // Of their vectors and payloads.
  };
  // One state for all. ResourceExhausted past max_bytes.
  absl::StatusOr<Found> SearchTogether(const Together& together, const CancelToken& cancel) const;

 private:
  using Nearest = std::vector<std::vector<Neighbor>>;  // By query.

  absl::StatusOr<Found> SearchLocked(const Together& together, const CancelToken& cancel,
                                     ReadConflict& conflict) const
      ABSL_SHARED_LOCKS_REQUIRED(shard_.state_mutex);
  // The nearest k + offset of each in their total order.
  absl::StatusOr<Nearest> FindNearest(std::span<const PreparedQuery> queries,
                                      const IndexSearchOptions& options, const CancelToken& cancel,
                                      std::span<IndexSearchTrace> traces) const
      ABSL_SHARED_LOCKS_REQUIRED(shard_.state_mutex);
  // Sees to it that equals in the last place are all there to be ordered, and orders them.
  absl::Status OrderTies(const PreparedQuery& query, IndexSearchOptions options,
                         const CancelToken& cancel, std::vector<Neighbor>& nearest) const
      ABSL_SHARED_LOCKS_REQUIRED(shard_.state_mutex);

  const Shard& shard_;
};

}  // namespace vettore
