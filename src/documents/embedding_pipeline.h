// Where a collection's vectors meet the models that fill them.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "documents/document.h"
#include "embed/model_directory.h"
#include "engine/requests.h"
#include "types/collection_config.h"

namespace vettore {

// The tokens of a window of `max_tokens` that special tokens and the document prompt leave to a
// text; 0 when they take all.
uint32_t TextTokens(const Embedder& model, uint32_t max_tokens);

// The methods are DocumentStore's of the same names. Thread-safe. `models` must outlive it.
class EmbeddingPipeline {
 public:
  explicit EmbeddingPipeline(ModelDirectory& models) : models_(models) {}

  absl::Status Resolve(CollectionConfig& config) const;
  absl::StatusOr<std::shared_ptr<const Embedder>> ModelOf(const VectorConfig& vector) const;
  absl::Status FillVectors(const CollectionConfig& config, std::vector<PointWrite>& points,
                           const CancelToken& cancel) const;
  absl::StatusOr<QueryVector> EmbedQuery(const CollectionConfig& config,
                                         std::string_view vector_name, std::string_view text,
                                         const CancelToken& cancel) const;

 private:
  absl::StatusOr<std::shared_ptr<const Embedder>> Load(const VectorConfig& vector) const;

  ModelDirectory& models_;
};

}  // namespace vettore
