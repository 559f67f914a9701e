#include "engine/point_fetch.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "engine/vector_names.h"

namespace vettore {
namespace {

// Copies what FindPath finds at `path` from `source` to the same place in `target`.
bool CopyPath(const Json& source, std::string_view path, Json& target) {
  if (!source.is_object()) return false;
  if (const auto whole = source.find(path); whole != source.end()) {
    target[std::string(path)] = *whole;
    return true;
  }
  for (size_t dot = path.rfind('.'); dot != std::string_view::npos && dot > 0;
       dot = path.rfind('.', dot - 1)) {
    const std::string outer(path.substr(0, dot));
    const auto inner = source.find(outer);
    if (inner == source.end() || FindPath(*inner, path.substr(dot + 1)) == nullptr) continue;
    Json& place = target[outer];
    // A longer path may have copied the whole of it already.
    if (place.is_null()) place = Json::object();
    return CopyPath(*inner, path.substr(dot + 1), place);
  }
  return false;
}

// The ordinals of the vectors that the selection asks for.
absl::StatusOr<std::vector<size_t>> SelectedOrdinals(const Selection& selection,
                                                     const CollectionConfig& config) {
  std::vector<size_t> ordinals;
  if (!selection.vectors) return ordinals;
  if (selection.vector_names.empty()) {
    ordinals.resize(config.vectors.size());
    std::iota(ordinals.begin(), ordinals.end(), size_t{0});
    return ordinals;
  }
  for (const std::string& name : selection.vector_names) {
    VETTORE_ASSIGN_OR_RETURN(const size_t ordinal, FindVectorOrdinal(config, name));
    ordinals.push_back(ordinal);
  }
  std::sort(ordinals.begin(), ordinals.end());
  ordinals.erase(std::unique(ordinals.begin(), ordinals.end()), ordinals.end());
  return ordinals;
}

// Fills in one point, and takes what it holds from `bytes_left`.
absl::Status FillPoint(const PointRecord& record, const Selection& selection, size_t& bytes_left,
                       PointRead& point) {
  point.id = record.id;
  point.version = record.version;
  if (!selection.payload) return absl::OkStatus();
  point.payload = Json::object();
  if (record.payload.empty()) return absl::OkStatus();
  absl::StatusOr<Json> payload = DecodeCbor(record.payload);
  if (!payload.ok()) {
    return Annotate(payload.status(), StrCat("point ", record.id.ToString()));
  }
  size_t bytes = record.payload.size();
  if (selection.payload_fields.empty()) {
    point.payload = *std::move(payload);
  } else {
    point.payload = SelectPaths(*payload, selection.payload_fields);
    bytes = std::min(bytes, point.payload.dump().size());
  }
  if (bytes > bytes_left) {
    return absl::ResourceExhaustedError(
        StrCat("selection: the payloads are more than a reply of ", selection.max_bytes,
               " bytes holds; ask for fewer points or payload_fields at a time"));
  }
  bytes_left -= bytes;
  return absl::OkStatus();
}

// What the vectors of `ordinals` take, or ResourceExhausted when that is more than fits.
absl::StatusOr<size_t> VectorBytes(size_t points, std::span<const size_t> ordinals,
                                   const Selection& selection, const CollectionConfig& config) {
  size_t floats = 0;
  for (const size_t ordinal : ordinals) floats += config.vectors[ordinal].dimension;
  const size_t bytes = points * floats * sizeof(float);
  if (bytes <= selection.max_bytes) return bytes;
  return absl::ResourceExhaustedError(StrCat("selection.vectors: ", points, " points with ", floats,
                                             " floats each are more than a reply of ",
                                             selection.max_bytes,
                                             " bytes holds; ask for fewer points at a time"));
}

// Points that are read at once: of the largest ones, as much as a few requests hold.
constexpr size_t kBlockPoints = 64;

}  // namespace

Json SelectPaths(const Json& payload, std::span<const std::string> paths) {
  Json selected = Json::object();
  for (const std::string& path : paths) CopyPath(payload, path, selected);
  return selected;
}

absl::StatusOr<FetchedPoints> FetchPoints(const Shard& shard, std::span<const Slot> slots,
                                          const Selection& selection, const CancelToken& cancel,
                                          ReadConflict& conflict) {
  std::vector<PointRead> points(slots.size());
  VETTORE_ASSIGN_OR_RETURN(const std::vector<size_t> ordinals,
                           SelectedOrdinals(selection, shard.config));
  VETTORE_ASSIGN_OR_RETURN(const size_t vector_bytes,
                           VectorBytes(slots.size(), ordinals, selection, shard.config));
  size_t bytes_left = selection.max_bytes - vector_bytes;

  // The store reads slots in ascending order.
  std::vector<size_t> order(slots.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return slots[a] < slots[b]; });
  for (size_t begin = 0; begin < order.size(); begin += kBlockPoints) {
    VETTORE_RETURN_IF_ERROR(cancel.Poll());
    const auto block =
        std::span(order).subspan(begin, std::min(kBlockPoints, order.size() - begin));
    std::vector<Slot> ascending;
    ascending.reserve(block.size());
    for (const size_t i : block) ascending.push_back(slots[i]);

    for (const size_t ordinal : ordinals) {
      VETTORE_ASSIGN_OR_RETURN(
          std::vector<std::vector<float>> vectors,
          shard.store->GetVectors(shard.key, static_cast<VectorOrdinal>(ordinal), ascending));
      for (size_t i = 0; i < block.size(); ++i) {
        if (vectors[i].empty()) continue;
        points[block[i]].vectors.push_back(
            {.name = shard.config.vectors[ordinal].name, .values = std::move(vectors[i])});
      }
    }
    VETTORE_ASSIGN_OR_RETURN(const auto records, shard.store->GetPoints(shard.key, ascending));
    if (shard.in_flight.Touch(ascending)) {
      conflict.seen = true;
      return absl::AbortedError("a write is being committed");
    }
    for (size_t i = 0; i < block.size(); ++i) {
      const PointId& id = shard.ids.id(ascending[i]);
      if (!records[i] || records[i]->id != id) {
        return absl::DataLossError(
            StrCat("point ", id.ToString(), ": the store holds ",
                   records[i] ? StrCat("point ", records[i]->id.ToString()) : "nothing",
                   " in slot ", ascending[i]));
      }
      VETTORE_RETURN_IF_ERROR(FillPoint(*records[i], selection, bytes_left, points[block[i]]));
    }
  }
  return FetchedPoints{std::move(points), selection.max_bytes - bytes_left};
}

}  // namespace vettore
