// A collection of this process: one shard with its writer and readers.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/alias_table.h"
#include "engine/batch_searcher.h"
#include "engine/catalog.h"
#include "engine/collection.h"
#include "engine/index_checkpointer.h"
#include "engine/point_reader.h"
#include "engine/searcher.h"
#include "engine/shard.h"
#include "engine/writer.h"

namespace vettore {

// Thread-safe.
class LocalCollection final : public Collection {
 public:
  struct Options {
    std::string name;
    int64_t created_unix_ms = 0;
    std::shared_ptr<const AliasTable> aliases;
    std::function<absl::Time()> clock;
  };

  LocalCollection(Options options, std::unique_ptr<Shard> shard);

  // Ends all calls with NotFound, those to come and those that wait; returns once none writes or
  // reads.
  void Close();

  const CollectionConfig& config() const override { return shard_->config; }
  CollectionStatus Status() const override;
  absl::StatusOr<WriteResult> Write(WriteRequest request, const CancelToken& cancel) override;
  absl::StatusOr<std::vector<std::optional<PointRead>>> Get(
      std::span<const PointId> ids, const Selection& selection, const ReadOptions& read,
      const CancelToken& cancel) const override;
  absl::StatusOr<ScrollPage> Scroll(const ScrollRequest& request, const ReadOptions& read,
                                    const CancelToken& cancel) const override;
  absl::StatusOr<uint64_t> Count(const std::optional<Filter>& filter, const ReadOptions& read,
                                 const CancelToken& cancel) const override;
  absl::StatusOr<SearchResult> Search(const SearchRequest& request, const ReadOptions& read,
                                      const CancelToken& cancel) const override;
  absl::StatusOr<std::vector<SearchResult>> SearchBatch(const SearchBatchRequest& request,
                                                        const ReadOptions& read,
                                                        const Helpers& helpers,
                                                        const CancelToken& cancel) const override;
  absl::Status WaitUntilIndexed(const CancelToken& cancel) const override;

  // See IndexCheckpointer.
  void WriteCheckpoints(IndexCheckpointer::When when) { checkpointer_.WriteWhatIsDue(when); }

  uint64_t memory_bytes() const;

 private:
  // Polls `cancel`, then waits for the position that the read must have seen.
  absl::Status Admit(const ReadOptions& read, const CancelToken& cancel) const;
  // Of the indexes, by ordinal.
  std::vector<VectorStatus> VectorStatuses() const;

  const Options options_;
  const std::unique_ptr<Shard> shard_;
  Writer writer_;
  IndexCheckpointer checkpointer_;
  const PointReader reader_;
  const Searcher searcher_;
  const BatchSearcher batch_searcher_;
};

}  // namespace vettore
