// The payload and the ids of the points that a document's chunks are; document_store.h shows the
// layout to users.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "documents/document.h"
#include "types/json.h"
#include "types/point_id.h"

namespace vettore {

// "<document id>#<chunk>". The id has been checked (CheckDocumentId).
PointId ChunkId(std::string_view document_id, uint64_t chunk);

// One chunk of a document as its payload holds it.
struct StoredChunk {
  Passage passage;      // Without a score.
  uint64_t chunks = 0;  // Of the whole document.
};

Json ToPayload(const StoredChunk& chunk);
// nullopt when the payload has another layout: somebody else wrote the point.
std::optional<StoredChunk> ChunkFromPayload(const Json& payload);
// The chunks that a document has, read off one of its payloads; nullopt as above.
std::optional<uint64_t> ChunkCount(const Json& payload);

}  // namespace vettore
