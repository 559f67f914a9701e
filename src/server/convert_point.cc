#include "server/convert_point.h"

#include <utility>

#include "base/status.h"
#include "server/convert_payload.h"
#include "types/limits.h"

namespace vettore {
namespace {

absl::StatusOr<std::vector<NamedVector>> VectorsFromProto(const v1::Point& point,
                                                          const FieldPath& path) {
  if (static_cast<size_t>(point.vectors_size()) > limits::kVectorsPerCollection) {
    return path.Invalid(
        StrCat("vectors: at most ", limits::kVectorsPerCollection, ", got ", point.vectors_size()));
  }
  std::vector<NamedVector> vectors;
  vectors.reserve(static_cast<size_t>(point.vectors_size()));
  for (const v1::NamedVector& vector : point.vectors()) {
    vectors.push_back(
        {.name = vector.name(), .values = {vector.values().begin(), vector.values().end()}});
  }
  return vectors;
}

absl::StatusOr<PointWrite> PointFromProto(const v1::Point& point, const FieldPath& path) {
  PointWrite write;
  VETTORE_ASSIGN_OR_RETURN(write.id, PointIdFromProto(point.id(), FieldPath(path, "id")));
  VETTORE_ASSIGN_OR_RETURN(write.vectors, VectorsFromProto(point, path));
  VETTORE_ASSIGN_OR_RETURN(write.payload,
                           PayloadFromProto(point.payload(), FieldPath(path, "payload")));
  return write;
}

}  // namespace

absl::StatusOr<PointId> PointIdFromProto(const v1::PointId& id, const FieldPath& path) {
  switch (id.id_case()) {
    case v1::PointId::kNumber:
      return PointId(id.number());
    case v1::PointId::kText: {
      absl::StatusOr<PointId> parsed = PointId::Parse(id.text());
      if (!parsed.ok()) return Annotate(parsed.status(), path.ToString());
      return parsed;
    }
    case v1::PointId::ID_NOT_SET:
      break;
  }
  return path.Invalid("no id; set number or text");
}

absl::StatusOr<std::vector<PointId>> PointIdsFromProto(
    const google::protobuf::RepeatedPtrField<v1::PointId>& ids, const FieldPath& path) {
  std::vector<PointId> out;
  out.reserve(static_cast<size_t>(ids.size()));
  for (const v1::PointId& id : ids) {
    absl::StatusOr<PointId> converted = PointIdFromProto(id, FieldPath(path, "", out.size()));
    if (!converted.ok()) return std::move(converted).status();
    out.push_back(*std::move(converted));
  }
  return out;
}

void PointIdToProto(const PointId& id, v1::PointId& out) {
  if (id.is_number()) {
    out.set_number(id.number());
  } else {
    out.set_text(id.text());
  }
}

absl::StatusOr<std::vector<PointWrite>> PointsFromProto(
    const google::protobuf::RepeatedPtrField<v1::Point>& points) {
  if (points.empty() || static_cast<size_t>(points.size()) > limits::kBatchPoints) {
    return FieldPath("points").Invalid(
        StrCat("a batch has 1 to ", limits::kBatchPoints, " points, got ", points.size()));
  }
  std::vector<PointWrite> writes;
  writes.reserve(static_cast<size_t>(points.size()));
  for (const v1::Point& point : points) {
    VETTORE_ASSIGN_OR_RETURN(PointWrite write,
                             PointFromProto(point, FieldPath("points", writes.size())));
    writes.push_back(std::move(write));
  }
  return writes;
}

void PointToProto(PointRead point, v1::StoredPoint& out) {
  PointIdToProto(point.id, *out.mutable_id());
  out.set_version(point.version);
  for (NamedVector& vector : point.vectors) {
    v1::NamedVector& named = *out.add_vectors();
    named.set_name(std::move(vector.name));
    named.mutable_values()->Add(vector.values.begin(), vector.values.end());
  }
  if (point.payload.is_object()) PayloadToProto(point.payload, *out.mutable_payload());
}

absl::StatusOr<Selection> SelectionFromProto(const v1::Selection& selection, size_t max_bytes) {
  const FieldPath path("selection");
  const auto names = static_cast<size_t>(selection.vector_names_size());
  const auto fields = static_cast<size_t>(selection.payload_fields_size());
  if (names > limits::kVectorsPerCollection) {
    return path.Invalid(
        StrCat("vector_names: at most ", limits::kVectorsPerCollection, ", got ", names));
  }
  if (fields > static_cast<size_t>(limits::kFilterConditions)) {
    return path.Invalid(
        StrCat("payload_fields: at most ", limits::kFilterConditions, ", got ", fields));
  }
  return Selection{
      .payload = selection.payload() || fields > 0,
      .payload_fields = {selection.payload_fields().begin(), selection.payload_fields().end()},
      .vectors = selection.vectors() || names > 0,
      // All vectors were asked for: names narrow nothing.
      .vector_names = selection.vectors()
                          ? std::vector<std::string>()
                          : std::vector<std::string>(selection.vector_names().begin(),
                                                     selection.vector_names().end()),
      .max_bytes = max_bytes,
  };
}

void PositionToProto(Position position, v1::Position& out) {
  out.set_epoch(position.epoch);
  out.set_seq(position.seq);
}

absl::StatusOr<WriteMode> WriteModeFromProto(const v1::WriteOptions& options) {
  const FieldPath path("options");
  WriteMode mode;
  switch (static_cast<int>(options.durability())) {
    case v1::DURABILITY_UNSPECIFIED:
    case v1::DURABILITY_DURABLE:
      mode.durability = Durability::kDurable;
      break;
    case v1::DURABILITY_BUFFERED:
      mode.durability = Durability::kBuffered;
      break;
    default:
      return FieldPath(path, "durability")
          .Invalid(StrCat("unknown value ", static_cast<int>(options.durability())));
  }
  if (options.has_producer()) {
    mode.producer =
        ProducerTag{.producer = options.producer().id(), .seq = options.producer().seq()};
  }
  return mode;
}

absl::StatusOr<ReadOptions> ReadOptionsFromProto(const v1::ReadOptions& options) {
  const FieldPath path("read");
  if (!v1::Consistency_IsValid(options.consistency())) {
    return FieldPath(path, "consistency")
        .Invalid(StrCat("unknown value ", static_cast<int>(options.consistency())));
  }
  ReadOptions read;
  if (options.has_min_position()) {
    read.min_position = Position{options.min_position().epoch(), options.min_position().seq()};
  }
  return read;
}

}  // namespace vettore
