// Planning and running the searches of an IVF index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "index/lists/ivf_roster.h"
#include "index/rows/era_chain.h"
#include "index/rows/row_store.h"
#include "index/top_k.h"
#include "index/vector_distance.h"
#include "index/vector_index.h"

namespace vettore {

// What one search asks. Borrows all.
struct IvfRequest {
  std::span<const float> query;
  const IndexSearchOptions& options;
  size_t k;              // Of the options, or more in place of hits that were removed meanwhile.
  size_t allowed_count;  // Of options.allowed, when that is not null.
  const CancelToken& cancel;
};

// The state that one search sees.
struct IvfSnapshot {
  explicit IvfSnapshot(const RowStore& store) : rows(store) {}

  const RowStore& rows;
  std::shared_ptr<const Era> era;
  IvfPartition partition;
  uint64_t version = 0;
  size_t live = 0;
  size_t listed = 0;
  size_t dead_listed = 0;
  bool prefers_scan = false;  // The plan; the tail was copied only when it is the lists.
  std::vector<Row> tail;      // Rows that are in no list.
};

// Immutable.
class IvfSearcher {
 public:
  IvfSearcher(const VectorConfig& config, const IvfConfig& ivf)
      : metric_(config.metric), distance_(config.metric, config.dimension), config_(ivf) {}

  const IvfConfig& config() const { return config_; }

  // Whether measuring every candidate is at least as fast as, or better than, probing lists.
  bool PrefersScan(const IvfRequest& request, const IvfSnapshot& snapshot) const;

  // The up to k nearest of each request, nearest first. requests: at least one; they differ in
  // their queries only. Each finds, to the bit, what it finds alone; together they share the codes
  // of the centroids, and of the lists, while these are in a cache. traces: one a request.
  absl::StatusOr<std::vector<std::vector<Hit>>> Search(std::span<const IvfRequest> requests,
                                                       const IvfSnapshot& snapshot,
                                                       std::span<IndexSearchTrace> traces) const;

 private:
  class ListSearch;

  size_t ProbesFor(const IvfRequest& request, const IvfSnapshot& snapshot) const;
  // What a list adds to an estimated distance. query_norm: squared.
  float OffsetOf(const Probe& probe, const IvfTable& table, float query_norm) const;
  absl::StatusOr<std::vector<Hit>> SearchExactly(const IvfRequest& request,
                                                 const IvfSnapshot& snapshot,
                                                 IndexSearchTrace& trace) const;
  // Scans the lists for each request; leaves a null where its estimates would overflow.
  absl::Status SearchLists(std::span<const IvfRequest> requests, const IvfSnapshot& snapshot,
                           std::span<std::unique_ptr<ListSearch>> searches) const;
  static absl::Status ScanByList(const IvfTable& table, std::span<ListSearch* const> searches,
                                 size_t first_probe);

  const Metric metric_;
  const VectorDistance distance_;
  const IvfConfig config_;
};

}  // namespace vettore
