#include "engine/read_validation.h"

#include <cmath>

#include "base/status.h"
#include "base/strings.h"
#include "engine/vector_names.h"
#include "types/limits.h"
#include "types/vector.h"

namespace vettore {
namespace {

absl::Status CheckWindow(uint64_t k, uint64_t offset) {
  if (k == 0) {
    return absl::InvalidArgumentError(StrCat("k: 1 to ", limits::kSearchLimit, ", got 0"));
  }
  // Neither sum nor difference can overflow in this order.
  if (k > limits::kSearchLimit || offset > limits::kSearchLimit - k) {
    return absl::InvalidArgumentError(
        StrCat("k + offset: at most ", limits::kSearchLimit, ", got ", k, " + ", offset));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateSelection(const Selection& selection, const CollectionConfig& config) {
  for (const std::string& name : selection.vector_names) {
    VETTORE_RETURN_IF_ERROR(
        Annotate(FindVectorOrdinal(config, name).status(), "selection.vector_names"));
  }
  for (const std::string& field : selection.payload_fields) {
    if (field.empty()) {
      return absl::InvalidArgumentError("selection.payload_fields: a path is empty");
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateScroll(const ScrollRequest& request, const CollectionConfig& config) {
  if (request.limit == 0 || request.limit > limits::kSearchLimit) {
    return absl::InvalidArgumentError(
        StrCat("limit: 1 to ", limits::kSearchLimit, ", got ", request.limit));
  }
  if (request.filter) {
    VETTORE_RETURN_IF_ERROR(ValidateFilter(*request.filter));
  }
  return ValidateSelection(request.selection, config);
}

absl::StatusOr<PreparedQuery> PrepareQuery(const SearchRequest& request,
                                           const CollectionConfig& config) {
  VETTORE_RETURN_IF_ERROR(CheckWindow(request.k, request.offset));
  if (request.ef_search && (*request.ef_search == 0 || *request.ef_search > limits::kEfSearch)) {
    return absl::InvalidArgumentError(
        StrCat("ef_search: 1 to ", limits::kEfSearch, ", got ", *request.ef_search));
  }
  if (request.nprobe && (*request.nprobe == 0 || *request.nprobe > limits::kNprobe)) {
    return absl::InvalidArgumentError(
        StrCat("nprobe: 1 to ", limits::kNprobe, ", got ", *request.nprobe));
  }
  if (request.score_threshold && !std::isfinite(*request.score_threshold)) {
    return absl::InvalidArgumentError("score_threshold: not a finite number");
  }
  if (request.filter) {
    VETTORE_RETURN_IF_ERROR(ValidateFilter(*request.filter));
  }
  VETTORE_RETURN_IF_ERROR(ValidateSelection(request.selection, config));

  PreparedQuery query;
  VETTORE_ASSIGN_OR_RETURN(query.ordinal, FindVectorOrdinal(config, request.vector_name));
  const VectorConfig& vector = config.vectors[query.ordinal];
  const std::string where = vector.name.empty() ? "query" : StrCat("query for '", vector.name, "'");
  VETTORE_RETURN_IF_ERROR(ValidateVector(request.query, vector.dimension, where));
  query.values = request.query;
  if (vector.metric == Metric::kCosine) {
    VETTORE_RETURN_IF_ERROR(NormalizeVector(query.values, where));
  }
  return query;
}

}  // namespace vettore
