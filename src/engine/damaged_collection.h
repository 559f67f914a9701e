// A collection that could not be loaded: it has its name, and a reason.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/alias_table.h"
#include "engine/collection.h"

namespace vettore {

// Every call returns why it does not serve. Thread-safe.
class DamagedCollection final : public Collection {
 public:
  // `reason` names the collection.
  DamagedCollection(CollectionStatus status, std::shared_ptr<const AliasTable> aliases,
                    absl::Status reason)
      : status_(std::move(status)), aliases_(std::move(aliases)), reason_(std::move(reason)) {
    status_.error = std::string(reason_.message());
  }

  const CollectionConfig& config() const override { return status_.config; }
  CollectionStatus Status() const override {
    CollectionStatus status = status_;
    status.aliases = aliases_->AliasesOf(status_.name);
    return status;
  }
  absl::StatusOr<WriteResult> Write(WriteRequest, const CancelToken&) override { return reason_; }
  absl::StatusOr<std::vector<std::optional<PointRead>>> Get(std::span<const PointId>,
                                                            const Selection&, const ReadOptions&,
                                                            const CancelToken&) const override {
    return reason_;
  }
  absl::StatusOr<ScrollPage> Scroll(const ScrollRequest&, const ReadOptions&,
                                    const CancelToken&) const override {
    return reason_;
  }
  absl::StatusOr<uint64_t> Count(const std::optional<Filter>&, const ReadOptions&,
                                 const CancelToken&) const override {
    return reason_;
  }
  absl::StatusOr<SearchResult> Search(const SearchRequest&, const ReadOptions&,
                                      const CancelToken&) const override {
    return reason_;
  }
  absl::StatusOr<std::vector<SearchResult>> SearchBatch(const SearchBatchRequest&,
                                                        const ReadOptions&, const Helpers&,
                                                        const CancelToken&) const override {
    return reason_;
  }
  absl::Status WaitUntilIndexed(const CancelToken&) const override { return reason_; }

 private:
  CollectionStatus status_;  // Without aliases.
  const std::shared_ptr<const AliasTable> aliases_;
  const absl::Status reason_;
};

}  // namespace vettore
