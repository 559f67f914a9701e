// A write request that has been checked and brought into the form in which it is stored.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/requests.h"

namespace vettore {

struct PreparedPoint {
  PointId id{0};
  std::string record_payload;  // CBOR; empty: no payload.
  Json payload;                // Kept only where the collection indexes payload fields.
  std::vector<std::vector<float>>
      vectors;  // By ordinal of the config; empty: the point has none. Unit length for cosine.
};

// Externally synchronised.
struct PreparedWrite {
  std::vector<PointId> deletes = {};  // Distinct, and none of them upserted.
  std::optional<Filter> delete_filter = {};
  std::vector<PreparedPoint> upserts = {};  // Distinct.
  Durability durability = Durability::kDurable;
  std::optional<ProducerTag> producer;
  size_t bytes = 0;  // About what it adds to the log.
};

// InvalidArgument names the field, what was wanted and what was got: `points[3].vectors['title']:
// dimension 384, collection expects 768`. Every point is checked, also one that a later point of
// the same id replaces.
absl::StatusOr<PreparedWrite> PrepareWrite(WriteRequest request, const CollectionConfig& config);

}  // namespace vettore
