// What an index kind has that brings nothing of its own.
#include "index/vector_index.h"

#include <utility>

#include "base/status.h"

namespace vettore {

absl::StatusOr<std::vector<std::vector<Neighbor>>> VectorIndex::SearchBatch(
    std::span<const std::span<const float>> queries, const IndexSearchOptions& options,
    const CancelToken& cancel, std::span<IndexSearchTrace> traces) const {
  std::vector<std::vector<Neighbor>> found(queries.size());
  for (size_t i = 0; i < queries.size(); ++i) {
    IndexSearchTrace* const trace = traces.empty() ? nullptr : &traces[i];
    VETTORE_ASSIGN_OR_RETURN(found[i], Search(queries[i], options, cancel, trace));
  }
  return found;
}

}  // namespace vettore
