#include "engine/local_collection.h"

#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "engine/prepared_write.h"

namespace vettore {

LocalCollection::LocalCollection(Options options, std::unique_ptr<Shard> shard)
    : options_(std::move(options)),
      shard_(std::move(shard)),
      writer_(*shard_, options_.clock),
      checkpointer_(*shard_),
      reader_(*shard_),
      searcher_(*shard_),
      batch_searcher_(*shard_, searcher_) {}

void LocalCollection::Close() {
  const absl::Status reason =
      absl::NotFoundError(StrCat("collection '", options_.name, "' has been dropped"));
  writer_.Close(reason);
  checkpointer_.Close();
  shard_->applied.Close(reason);
  absl::MutexLock state(&shard_->state_mutex);
  shard_->failure = reason;
}

CollectionStatus LocalCollection::Status() const {
  CollectionStatus status{.name = options_.name,
                          .config = shard_->config,
                          .vectors = VectorStatuses(),
                          .created_unix_ms = options_.created_unix_ms,
                          .aliases = options_.aliases->AliasesOf(options_.name)};
  absl::ReaderMutexLock state(&shard_->state_mutex);
  status.points = shard_->ids.size();
  status.position = shard_->applied.Get();
  status.error = std::string(shard_->failure.message());
  return status;
}

std::vector<VectorStatus> LocalCollection::VectorStatuses() const {
  std::vector<VectorStatus> statuses;
  for (size_t i = 0; i < shard_->indexes.size(); ++i) {
    const IndexStats stats = shard_->indexes[i]->Stats();
    statuses.push_back({.name = shard_->config.vectors[i].name,
                        .live = stats.live,
                        .unindexed = stats.unindexed,
                        .tombstones = stats.tombstones,
                        .memory_bytes = stats.memory_bytes,
                        .mapped_bytes = stats.mapped_bytes,
                        .quantization = stats.quantization});
  }
  return statuses;
}

absl::StatusOr<WriteResult> LocalCollection::Write(WriteRequest request,
                                                   const CancelToken& cancel) {
  VETTORE_RETURN_IF_ERROR(cancel.Poll());
  VETTORE_ASSIGN_OR_RETURN(PreparedWrite write, PrepareWrite(std::move(request), shard_->config));
  return writer_.Write(std::move(write), cancel);
}

absl::Status LocalCollection::Admit(const ReadOptions& read, const CancelToken& cancel) const {
  VETTORE_RETURN_IF_ERROR(cancel.Poll());
  return read.min_position ? shard_->applied.WaitFor(*read.min_position, cancel) : absl::OkStatus();
}

absl::StatusOr<std::vector<std::optional<PointRead>>> LocalCollection::Get(
    std::span<const PointId> ids, const Selection& selection, const ReadOptions& read,
    const CancelToken& cancel) const {
  VETTORE_RETURN_IF_ERROR(Admit(read, cancel));
  return reader_.Get(ids, selection, cancel);
}

absl::StatusOr<ScrollPage> LocalCollection::Scroll(const ScrollRequest& request,
                                                   const ReadOptions& read,
                                                   const CancelToken& cancel) const {
  VETTORE_RETURN_IF_ERROR(Admit(read, cancel));
  return reader_.Scroll(request, cancel);
}

absl::StatusOr<uint64_t> LocalCollection::Count(const std::optional<Filter>& filter,
                                                const ReadOptions& read,
                                                const CancelToken& cancel) const {
  VETTORE_RETURN_IF_ERROR(Admit(read, cancel));
  return reader_.Count(filter, cancel);
}

absl::StatusOr<SearchResult> LocalCollection::Search(const SearchRequest& request,
                                                     const ReadOptions& read,
                                                     const CancelToken& cancel) const {
  VETTORE_RETURN_IF_ERROR(Admit(read, cancel));
  return searcher_.Search(request, cancel);
}

absl::StatusOr<std::vector<SearchResult>> LocalCollection::SearchBatch(
    const SearchBatchRequest& request, const ReadOptions& read, const Helpers& helpers,
    const CancelToken& cancel) const {
  VETTORE_RETURN_IF_ERROR(Admit(read, cancel));
  return batch_searcher_.Search(request, helpers, cancel);
}

absl::Status LocalCollection::WaitUntilIndexed(const CancelToken& cancel) const {
  for (const auto& index : shard_->indexes) {
    VETTORE_RETURN_IF_ERROR(index->WaitUntilIndexed(cancel));
  }
  absl::ReaderMutexLock state(&shard_->state_mutex);
  return shard_->failure;
}

uint64_t LocalCollection::memory_bytes() const {
  uint64_t bytes = 0;
  for (const auto& index : shard_->indexes) bytes += index->Stats().memory_bytes;
  absl::ReaderMutexLock state(&shard_->state_mutex);
  return bytes + shard_->ids.memory_bytes();
}

}  // namespace vettore
