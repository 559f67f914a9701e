// The nearest points to a vector or a text, to one or to many.
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "server/api.h"
#include "server/convert_filter.h"
#include "server/convert_point.h"
#include "server/convert_trace.h"
#include "types/limits.h"

namespace vettore {
namespace {

void ResultToProto(SearchResult result, absl::Time arrived, v1::SearchResponse& response) {
  for (ScoredPoint& point : result.points) {
    v1::ScoredPoint& scored = *response.add_points();
    scored.set_score(point.score);
    PointToProto(std::move(point.point), *scored.mutable_point());
  }
  v1::SearchTrace& trace = *response.mutable_trace();
  trace.set_plan(result.plan);
  trace.set_distances(result.distances);
  trace.set_filter_us(Microseconds(result.filter_time));
  trace.set_search_us(Microseconds(result.search_time));
  trace.set_total_us(Microseconds(absl::Now() - arrived));
}

// What a search of a batch must leave to the batch.
absl::Status CheckMember(const v1::SearchRequest& search) {
  if (!search.collection().empty()) {
    return FieldPath("collection").Invalid("set the collection of the batch instead");
  }
  if (search.has_read()) return FieldPath("read").Invalid("set `read` of the batch instead");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SearchRequest> Api::ToSearch(const v1::SearchRequest& request,
                                            const CollectionConfig& config, const Context& context,
                                            v1::SearchTrace& trace) const {
  SearchRequest search;
  search.vector_name = request.vector_name();
  search.k = request.k();
  search.offset = request.offset();
  VETTORE_ASSIGN_OR_RETURN(search.filter, OptionalFilter(request));
  if (request.has_score_threshold()) search.score_threshold = request.score_threshold();
  if (request.has_ef_search()) search.ef_search = request.ef_search();
  if (request.has_nprobe()) search.nprobe = request.nprobe();
  search.exact = request.exact();
  VETTORE_ASSIGN_OR_RETURN(search.selection,
                           SelectionFromProto(request.selection(), options_.max_message_bytes));
  switch (request.query_case()) {
    case v1::SearchRequest::kVector:
      search.query.assign(request.vector().values().begin(), request.vector().values().end());
      break;
    case v1::SearchRequest::kText: {
      VETTORE_ASSIGN_OR_RETURN(
          QueryVector embedded,
          documents_.EmbedQuery(config, request.vector_name(), request.text(), context.cancel));
      search.query = std::move(embedded.values);
      trace.set_tokenize_us(Microseconds(embedded.tokenize_time));
      trace.set_embed_us(Microseconds(embedded.embed_time));
      trace.set_query_truncated(embedded.truncated);
      break;
    }
    case v1::SearchRequest::QUERY_NOT_SET:
      return FieldPath("query").Invalid("no query; set vector or text");
  }
  return search;
}

Api::Reply<v1::SearchResponse> Api::Search(const v1::SearchRequest& request,
                                           const Context& context) {
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                           Find(request.collection()));
  VETTORE_ASSIGN_OR_RETURN(const ReadOptions read, ReadOptionsFromProto(request.read()));
  v1::SearchResponse response;
  VETTORE_ASSIGN_OR_RETURN(
      const SearchRequest search,
      ToSearch(request, collection->config(), context, *response.mutable_trace()));
  VETTORE_ASSIGN_OR_RETURN(SearchResult result, collection->Search(search, read, context.cancel));
  ResultToProto(std::move(result), context.arrived, response);
  return response;
}

Api::Reply<v1::SearchBatchResponse> Api::SearchBatch(const v1::SearchBatchRequest& request,
                                                     const Context& context) {
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                           Find(request.collection()));
  VETTORE_ASSIGN_OR_RETURN(const ReadOptions read, ReadOptionsFromProto(request.read()));
  // Before anything is converted or embedded.
  if (static_cast<size_t>(request.searches_size()) > limits::kBatchSearches) {
    return FieldPath("searches")
        .Invalid(StrCat("1 to ", limits::kBatchSearches, ", got ", request.searches_size()));
  }
  v1::SearchBatchResponse response;
  SearchBatchRequest batch{.searches = {}, .max_bytes = options_.max_message_bytes};
  for (int i = 0; i < request.searches_size(); ++i) {
    const v1::SearchRequest& member = request.searches(i);
    v1::SearchTrace& trace = *response.add_results()->mutable_trace();
    const std::string where = StrCat("searches[", i, "]");
    VETTORE_RETURN_IF_ERROR(Annotate(CheckMember(member), where));
    absl::StatusOr<SearchRequest> search = ToSearch(member, collection->config(), context, trace);
    if (!search.ok()) return Annotate(search.status(), where);
    batch.searches.push_back(*std::move(search));
  }
  VETTORE_ASSIGN_OR_RETURN(std::vector<SearchResult> results,
                           collection->SearchBatch(batch, read, context.helpers, context.cancel));
  for (size_t i = 0; i < results.size(); ++i) {
    ResultToProto(std::move(results[i]), context.arrived,
                  *response.mutable_results(static_cast<int>(i)));
  }
  return response;
}

}  // namespace vettore
