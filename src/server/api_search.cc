// The nearest points to a vector or a text.
#include <utility>

#include "base/status.h"
#include "server/api.h"
#include "server/convert_filter.h"
#include "server/convert_point.h"
#include "server/convert_trace.h"

namespace vettore {

Api::Reply<v1::SearchResponse> Api::Search(const v1::SearchRequest& request,
                                           const Context& context) {
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                           Find(request.collection()));
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
  VETTORE_ASSIGN_OR_RETURN(const ReadOptions read, ReadOptionsFromProto(request.read()));

  v1::SearchResponse response;
  v1::SearchTrace& trace = *response.mutable_trace();
  switch (request.query_case()) {
    case v1::SearchRequest::kVector:
      search.query.assign(request.vector().values().begin(), request.vector().values().end());
      break;
    case v1::SearchRequest::kText: {
      VETTORE_ASSIGN_OR_RETURN(QueryVector embedded,
                               documents_.EmbedQuery(collection->config(), request.vector_name(),
                                                     request.text(), context.cancel));
      search.query = std::move(embedded.values);
      trace.set_tokenize_us(Microseconds(embedded.tokenize_time));
      trace.set_embed_us(Microseconds(embedded.embed_time));
      trace.set_query_truncated(embedded.truncated);
      break;
    }
    case v1::SearchRequest::QUERY_NOT_SET:
      return FieldPath("query").Invalid("no query; set vector or text");
  }
  VETTORE_ASSIGN_OR_RETURN(SearchResult result, collection->Search(search, read, context.cancel));
  for (ScoredPoint& point : result.points) {
    v1::ScoredPoint& scored = *response.add_points();
    scored.set_score(point.score);
    PointToProto(std::move(point.point), *scored.mutable_point());
  }
  trace.set_plan(result.plan);
  trace.set_distances(result.distances);
  trace.set_filter_us(Microseconds(result.filter_time));
  trace.set_search_us(Microseconds(result.search_time));
  trace.set_total_us(Microseconds(absl::Now() - context.arrived));
  return response;
}

}  // namespace vettore
