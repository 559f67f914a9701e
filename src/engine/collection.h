// A collection: its points in the store, its indexes in memory, one writer and many readers.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "base/helpers.h"
#include "engine/requests.h"

namespace vettore {

// Thread-safe.
class Collection {
 public:
  virtual ~Collection() = default;

  virtual const CollectionConfig& config() const = 0;
  virtual CollectionStatus Status() const = 0;

  // Validates everything, commits one atomic batch with its op-log record, applies it, and returns
  // its position. Every search that starts afterwards sees it. On an error nothing has changed;
  // only after one of the disk is that not known before the directory is opened again, and until
  // then all further writes are refused. Graphs that lag behind slow no write: what they have not
  // taken yet is scanned by each search, so that a long tail slows searches until it is linked.
  virtual absl::StatusOr<WriteResult> Write(WriteRequest request, const CancelToken& cancel) = 0;

  // One entry an id; nullopt where there is no such point.
  virtual absl::StatusOr<std::vector<std::optional<PointRead>>> Get(
      std::span<const PointId> ids, const Selection& selection, const ReadOptions& read,
      const CancelToken& cancel) const = 0;
  virtual absl::StatusOr<ScrollPage> Scroll(const ScrollRequest& request, const ReadOptions& read,
                                            const CancelToken& cancel) const = 0;
  virtual absl::StatusOr<uint64_t> Count(const std::optional<Filter>& filter,
                                         const ReadOptions& read,
                                         const CancelToken& cancel) const = 0;
  virtual absl::StatusOr<SearchResult> Search(const SearchRequest& request, const ReadOptions& read,
                                              const CancelToken& cancel) const = 0;
  // One result a search, in their order; or an error, and then of none. Searches that ask the same
  // of different queries are made together. Most of it may be done by `helpers`.
  virtual absl::StatusOr<std::vector<SearchResult>> SearchBatch(
      const SearchBatchRequest& request, const ReadOptions& read, const Helpers& helpers,
      const CancelToken& cancel) const = 0;

  // Returns once the indexes hold everything written before the call.
  virtual absl::Status WaitUntilIndexed(const CancelToken& cancel) const = 0;
};

}  // namespace vettore
