// Points: written, read, deleted, paged through and counted.
#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "base/status.h"
#include "server/api.h"
#include "server/convert_filter.h"
#include "server/convert_point.h"
#include "types/limits.h"

namespace vettore {

absl::StatusOr<std::shared_ptr<Collection>> Api::Find(const std::string& name) const {
  VETTORE_ASSIGN_OR_RETURN(const Name parsed, Name::Parse(name, "collection"));
  return database_.Get(parsed);
}

Api::Reply<v1::UpsertResponse> Api::UpsertPoints(const v1::UpsertRequest& request,
                                                 const Context& context) {
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                           Find(request.collection()));
  VETTORE_ASSIGN_OR_RETURN(WriteMode mode, WriteModeFromProto(request.options()));
  WriteRequest write;
  VETTORE_ASSIGN_OR_RETURN(write.upserts, PointsFromProto(request.points()));
  VETTORE_RETURN_IF_ERROR(
      documents_.FillVectors(collection->config(), write.upserts, context.cancel));
  write.durability = mode.durability;
  write.producer = std::move(mode.producer);
  VETTORE_ASSIGN_OR_RETURN(const WriteResult result,
                           collection->Write(std::move(write), context.cancel));
  v1::UpsertResponse response;
  PositionToProto(result.position, *response.mutable_position());
  response.set_upserted(result.upserted);
  response.set_duplicate(result.duplicate);
  return response;
}

Api::Reply<v1::GetResponse> Api::GetPoints(const v1::GetRequest& request, const Context& context) {
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                           Find(request.collection()));
  const FieldPath path("ids");
  if (static_cast<size_t>(request.ids_size()) > limits::kBatchPoints) {
    return path.Invalid(StrCat("at most ", limits::kBatchPoints, ", got ", request.ids_size()));
  }
  VETTORE_ASSIGN_OR_RETURN(std::vector<PointId> ids, PointIdsFromProto(request.ids(), path));
  // Each once: a reply is no multiple of what is stored.
  absl::flat_hash_set<PointId> seen;
  std::erase_if(ids, [&](const PointId& id) { return !seen.insert(id).second; });
  VETTORE_ASSIGN_OR_RETURN(const Selection selection,
                           SelectionFromProto(request.selection(), options_.max_message_bytes));
  VETTORE_ASSIGN_OR_RETURN(const ReadOptions read, ReadOptionsFromProto(request.read()));
  VETTORE_ASSIGN_OR_RETURN(auto points, collection->Get(ids, selection, read, context.cancel));
  v1::GetResponse response;
  for (std::optional<PointRead>& point : points) {
    if (point) PointToProto(*std::move(point), *response.add_points());
  }
  return response;
}

Api::Reply<v1::DeleteResponse> Api::DeletePoints(const v1::DeleteRequest& request,
                                                 const Context& context) {
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                           Find(request.collection()));
  const FieldPath path("ids");
  if (request.ids().empty() && !request.has_filter()) {
    return path.Invalid(
        "neither ids nor a filter; set one, or both. The filter {all: {}} deletes every point");
  }
  if (static_cast<size_t>(request.ids_size()) > limits::kBatchPoints) {
    return path.Invalid(StrCat("at most ", limits::kBatchPoints, ", got ", request.ids_size()));
  }
  WriteRequest write;
  VETTORE_ASSIGN_OR_RETURN(write.deletes, PointIdsFromProto(request.ids(), path));
  VETTORE_ASSIGN_OR_RETURN(write.delete_filter, OptionalFilter(request));
  VETTORE_ASSIGN_OR_RETURN(WriteMode mode, WriteModeFromProto(request.options()));
  write.durability = mode.durability;
  write.producer = std::move(mode.producer);
  VETTORE_ASSIGN_OR_RETURN(const WriteResult result,
                           collection->Write(std::move(write), context.cancel));
  v1::DeleteResponse response;
  PositionToProto(result.position, *response.mutable_position());
  response.set_deleted(result.deleted);
  response.set_duplicate(result.duplicate);
  return response;
}

Api::Reply<v1::ScrollResponse> Api::ScrollPoints(const v1::ScrollRequest& request,
                                                 const Context& context) {
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                           Find(request.collection()));
  ScrollRequest scroll;
  VETTORE_ASSIGN_OR_RETURN(scroll.filter, OptionalFilter(request));
  if (request.has_from_id()) {
    VETTORE_ASSIGN_OR_RETURN(scroll.from,
                             PointIdFromProto(request.from_id(), FieldPath("from_id")));
  }
  if (request.limit() > limits::kSearchLimit) {
    return FieldPath("limit").Invalid(StrCat("1 to ", limits::kSearchLimit, ", or 0 for ",
                                             scroll.limit, ", got ", request.limit()));
  }
  if (request.limit() != 0) scroll.limit = request.limit();
  VETTORE_ASSIGN_OR_RETURN(scroll.selection,
                           SelectionFromProto(request.selection(), options_.max_message_bytes));
  VETTORE_ASSIGN_OR_RETURN(const ReadOptions read, ReadOptionsFromProto(request.read()));
  VETTORE_ASSIGN_OR_RETURN(ScrollPage page, collection->Scroll(scroll, read, context.cancel));
  v1::ScrollResponse response;
  for (PointRead& point : page.points) PointToProto(std::move(point), *response.add_points());
  if (page.next) PointIdToProto(*page.next, *response.mutable_next());
  return response;
}

Api::Reply<v1::CountResponse> Api::CountPoints(const v1::CountRequest& request,
                                               const Context& context) {
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                           Find(request.collection()));
  VETTORE_ASSIGN_OR_RETURN(const std::optional<Filter> filter, OptionalFilter(request));
  VETTORE_ASSIGN_OR_RETURN(const ReadOptions read, ReadOptionsFromProto(request.read()));
  VETTORE_ASSIGN_OR_RETURN(const uint64_t count, collection->Count(filter, read, context.cancel));
  v1::CountResponse response;
  response.set_count(count);
  return response;
}

}  // namespace vettore
