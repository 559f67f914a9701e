// Many searches of a shard in one request, over several threads.
#pragma once

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "base/helpers.h"
#include "engine/requests.h"
#include "engine/searcher.h"
#include "engine/shard.h"

namespace vettore {

// Searches that stand beside each other and ask the same are made together, a few dozen at a time:
// while they last, a writer waits. Thread-safe.
class BatchSearcher {
 public:
  // The borrows must outlive it.
  BatchSearcher(const Shard& shard, const Searcher& searcher)
      : shard_(shard), searcher_(searcher) {}

  // As Collection's. A helper does one part at a time and then queues anew, so that what came
  // meanwhile is served between two parts of a large batch.
  absl::StatusOr<std::vector<SearchResult>> Search(const SearchBatchRequest& request,
                                                   const Helpers& helpers,
                                                   const CancelToken& cancel) const;

 private:
  const Shard& shard_;
  const Searcher& searcher_;
};

}  // namespace vettore
