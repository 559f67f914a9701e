// Ids, points, and how points are written and read, between protobuf and the engine.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/requests.h"
#include "google/protobuf/repeated_field.h"
#include "server/field_path.h"
#include "vettore/v1/common.pb.h"
#include "vettore/v1/points.pb.h"

namespace vettore {

// InvalidArgument for an id without a kind or one that PointId::Parse refuses.
absl::StatusOr<PointId> PointIdFromProto(const v1::PointId& id, const FieldPath& path);
// `path` is the repeated field's. The caller has checked the count.
absl::StatusOr<std::vector<PointId>> PointIdsFromProto(
    const google::protobuf::RepeatedPtrField<v1::PointId>& ids, const FieldPath& path);
void PointIdToProto(const PointId& id, v1::PointId& out);

// `points` of a request: InvalidArgument unless there are 1 to limits::kBatchPoints.
absl::StatusOr<std::vector<PointWrite>> PointsFromProto(
    const google::protobuf::RepeatedPtrField<v1::Point>& points);
void PointToProto(PointRead point, v1::StoredPoint& out);

// max_bytes: of a reply.
absl::StatusOr<Selection> SelectionFromProto(const v1::Selection& selection, size_t max_bytes);

void PositionToProto(Position position, v1::Position& out);

// How a write is made.
struct WriteMode {
  Durability durability = Durability::kDurable;
  std::optional<ProducerTag> producer;
};
absl::StatusOr<WriteMode> WriteModeFromProto(const v1::WriteOptions& options);

// Field `read` of a request.
absl::StatusOr<ReadOptions> ReadOptionsFromProto(const v1::ReadOptions& options);

}  // namespace vettore
