// What the engine is asked and what it answers, free of any wire format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "types/collection_config.h"
#include "types/durability.h"
#include "types/filter.h"
#include "types/json.h"
#include "types/limits.h"
#include "types/point_id.h"
#include "types/position.h"

namespace vettore {

struct NamedVector {
  std::string name;  // "" is the default vector.
  std::vector<float> values;
};

// The whole of a point: an upsert replaces what was there. A point may lack any of the collection's
// vectors; searches on those do not find it.
struct PointWrite {
  PointId id{0};
  std::vector<NamedVector> vectors;
  Json payload = Json::object();
};

// A producer numbers its writes; a write whose number is not past the last one stored is
// acknowledged with the stored position and changes nothing.
struct ProducerTag {
  std::string producer;  // 1 to 64 bytes
  uint64_t seq = 0;      // >= 1
};

// One atomic change of a collection: first the deletes, then the upserts. Within `upserts` the last
// write of an id wins.
struct WriteRequest {
  std::vector<PointId> deletes;
  std::optional<Filter> delete_filter;
  std::vector<PointWrite> upserts;
  Durability durability = Durability::kDurable;
  std::optional<ProducerTag> producer;
};

struct WriteResult {
  Position position = {};
  uint64_t upserted = 0;   // Distinct ids.
  uint64_t deleted = 0;    // Points that existed and are gone.
  bool duplicate = false;  // The producer sequence was seen before; nothing changed.
};

// Which parts of a point a read returns.
struct Selection {
  bool payload = true;
  std::vector<std::string> payload_fields;  // Empty: all; else only these dotted paths.
  bool vectors = false;
  std::vector<std::string> vector_names;  // Empty: all.
  // Of the vectors and payloads of all points together; ResourceExhausted beyond.
  size_t max_bytes = limits::kMessageBytes;
};

// The state that a read must have seen. The read waits for it until its deadline, but no longer
// than 10 s: Unavailable. {0, 0} is always there; a position of another epoch is
// FailedPrecondition.
struct ReadOptions {
  std::optional<Position> min_position;
};

struct PointRead {
  PointId id{0};
  uint64_t version = 0;              // The seq of the write that last changed it.
  Json payload;                      // An object; null when the selection leaves it out.
  std::vector<NamedVector> vectors;  // In the order of the config; without those the point lacks.
};

struct ScrollRequest {
  std::optional<Filter> filter;
  std::optional<PointId> from;  // Inclusive.
  uint64_t limit = 100;         // 1 to limits::kSearchLimit
  Selection selection;
};

struct ScrollPage {
  std::vector<PointRead> points;  // By id.
  std::optional<PointId> next;    // Pass as `from`; absent on the last page.
};

struct SearchRequest {
  std::string vector_name;
  std::vector<float> query;
  uint64_t k = 10;  // k + offset: 1 to limits::kSearchLimit
  uint64_t offset = 0;
  std::optional<Filter> filter;
  std::optional<float> score_threshold;  // In client-facing scores: no worse than this.
  std::optional<uint32_t> ef_search;     // 1 to limits::kEfSearch
  std::optional<uint32_t> nprobe;        // 1 to limits::kNprobe
  bool exact = false;
  Selection selection;
};

struct ScoredPoint {
  float score = 0;  // Client-facing; see ScoreOfDistance.
  PointRead point;
};

struct SearchResult {
  std::vector<ScoredPoint> points;  // Best first; equal scores by id.
  std::string plan;                 // "exact scan", "graph", "filtered graph"
  uint64_t distances = 0;
  absl::Duration filter_time;
  absl::Duration search_time;
};

// Searches of one collection. Each sees every write that was acknowledged before, but they need not
// see the same ones since.
struct SearchBatchRequest {
  std::vector<SearchRequest> searches;  // 1 to limits::kBatchSearches
  // Of the vectors and payloads of all results together, whatever the selections say;
  // ResourceExhausted beyond.
  size_t max_bytes = limits::kMessageBytes;
};

struct VectorStatus {
  std::string name;
  uint64_t live = 0;
  uint64_t unindexed = 0;
  uint64_t tombstones = 0;
  uint64_t memory_bytes = 0;
  uint64_t mapped_bytes = 0;
  std::optional<Quantization> quantization = std::nullopt;  // Of a graph; as picked for kAuto.
};

struct CollectionStatus {
  std::string name;
  CollectionConfig config = {};
  uint64_t points = 0;
  Position position = {};
  std::vector<VectorStatus> vectors = {};
  int64_t created_unix_ms = 0;
  std::vector<std::string> aliases = {};
  // Empty: it serves. Else why it does not: every call of it returns this.
  std::string error = {};
};

}  // namespace vettore
