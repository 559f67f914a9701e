#include "engine/prepared_write.h"

#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/status.h"
#include "base/strings.h"
#include "engine/vector_names.h"
#include "types/limits.h"
#include "types/vector.h"

namespace vettore {
namespace {

constexpr size_t kMaxProducerBytes = 64;
// A batch is one record of the store's log; doors cut messages far below this.
constexpr size_t kMaxWriteBytes = size_t{256} << 20;
// Key and framing of a record, roughly.
constexpr size_t kRecordBytes = 32;

absl::Status CheckCount(size_t count, std::string_view what) {
  if (count <= limits::kBatchPoints) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat(what, ": ", count, " in one write, at most ",
                                           limits::kBatchPoints, "; split the batch"));
}

absl::Status CheckProducer(const ProducerTag& tag) {
  if (tag.producer.empty() || tag.producer.size() > kMaxProducerBytes) {
    return absl::InvalidArgumentError(
        StrCat("producer.id: 1 to ", kMaxProducerBytes, " bytes, got ", tag.producer.size()));
  }
  if (tag.seq == 0) return absl::InvalidArgumentError("producer.seq: starts at 1, got 0");
  return absl::OkStatus();
}

absl::Status CheckRequest(const WriteRequest& request) {
  if (request.deletes.empty() && !request.delete_filter && request.upserts.empty()) {
    return absl::InvalidArgumentError(
        "write: nothing to do; give points to upsert, or ids or a filter to delete");
  }
  VETTORE_RETURN_IF_ERROR(CheckCount(request.upserts.size(), "points"));
  VETTORE_RETURN_IF_ERROR(CheckCount(request.deletes.size(), "ids"));
  if (request.delete_filter) {
    VETTORE_RETURN_IF_ERROR(ValidateFilter(*request.delete_filter));
  }
  return request.producer ? CheckProducer(*request.producer) : absl::OkStatus();
}

// Checks `vector` and brings it to unit length where the metric asks for it.
absl::Status PrepareVector(const VectorConfig& config, std::string_view where,
                           std::vector<float>& vector) {
  VETTORE_RETURN_IF_ERROR(ValidateVector(vector, config.dimension, where));
  return config.metric == Metric::kCosine ? NormalizeVector(vector, where) : absl::OkStatus();
}

absl::Status PreparePoint(const CollectionConfig& config, size_t index, PointWrite& point,
                          PreparedPoint& prepared) {
  // Where something stands is put into words only once it is wrong.
  const auto where = [&](std::string_view field) { return StrCat("points[", index, "]", field); };
  prepared.vectors.resize(config.vectors.size());
  for (NamedVector& vector : point.vectors) {
    const absl::StatusOr<size_t> ordinal = FindVectorOrdinal(config, vector.name);
    if (!ordinal.ok()) return Annotate(ordinal.status(), where(""));
    std::vector<float>& place = prepared.vectors[*ordinal];
    const auto field = [&] { return where(StrCat(".vectors['", vector.name, "']")); };
    if (!place.empty()) return absl::InvalidArgumentError(field() + ": given twice");
    if (!PrepareVector(config.vectors[*ordinal], "", vector.values).ok()) {
      return PrepareVector(config.vectors[*ordinal], field(), vector.values);
    }
    place = std::move(vector.values);
  }
  if (!ValidatePayload(point.payload, "").ok()) {
    return ValidatePayload(point.payload, where(".payload"));
  }
  if (!point.payload.empty()) prepared.record_payload = EncodeCbor(point.payload);
  if (!config.payload_indexes.empty()) prepared.payload = std::move(point.payload);
  prepared.id = std::move(point.id);
  return absl::OkStatus();
}

size_t LogBytes(const PreparedPoint& point) {
  size_t bytes = 2 * kRecordBytes + point.record_payload.size();
  for (const auto& vector : point.vectors) bytes += kRecordBytes + vector.size() * sizeof(float);
  return bytes;
}

}  // namespace

absl::StatusOr<PreparedWrite> PrepareWrite(WriteRequest request, const CollectionConfig& config) {
  VETTORE_RETURN_IF_ERROR(CheckRequest(request));
  PreparedWrite write{.durability = request.durability, .producer = std::move(request.producer)};
  write.delete_filter = std::move(request.delete_filter);

  absl::flat_hash_map<PointId, size_t> places;
  write.upserts.reserve(request.upserts.size());
  places.reserve(request.upserts.size());
  for (size_t i = 0; i < request.upserts.size(); ++i) {
    PreparedPoint point;
    VETTORE_RETURN_IF_ERROR(PreparePoint(config, i, request.upserts[i], point));
    const auto [place, is_new] = places.try_emplace(point.id, write.upserts.size());
    if (is_new) {
      write.upserts.push_back(std::move(point));
    } else {
      write.upserts[place->second] = std::move(point);
    }
  }

  // An upsert replaces the whole point, so that deleting it first changes nothing.
  absl::flat_hash_set<PointId> deleted;
  for (PointId& id : request.deletes) {
    if (!places.contains(id) && deleted.insert(id).second) write.deletes.push_back(std::move(id));
  }

  write.bytes = kRecordBytes * (1 + 2 * write.deletes.size());
  for (const PreparedPoint& point : write.upserts) write.bytes += LogBytes(point);
  if (write.bytes > kMaxWriteBytes) {
    return absl::InvalidArgumentError(StrCat("points: ", write.bytes,
                                             " bytes in one write, at most ", kMaxWriteBytes,
                                             "; split the batch"));
  }
  return write;
}

}  // namespace vettore
