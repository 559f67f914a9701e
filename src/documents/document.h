// Documents and passages: what goes in and what comes out of the document store, free of any wire
// format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "engine/requests.h"
#include "types/durability.h"
#include "types/filter.h"
#include "types/json.h"
#include "types/position.h"

namespace vettore {

inline constexpr size_t kDocumentIdBytes = 200;
inline constexpr size_t kTitleBytes = 4 << 10;
// Each chunk repeats its document's metadata, so that filters see it.
inline constexpr size_t kDocumentMetadataBytes = 64 << 10;
inline constexpr size_t kDocumentsPerCall = 10'000;
inline constexpr size_t kChunksPerCall = 10'000;
inline constexpr size_t kMetadataBytesPerCall = 64 << 20;  // With its repetitions.

struct Document {
  std::string id = {};  // 1 to kDocumentIdBytes of UTF-8 without NUL
  // At most kTitleBytes of UTF-8. Each chunk is embedded as `title + " " + chunk`; of a title that
  // takes more than half of the model's window the beginning is embedded. It is stored whole.
  std::string title = {};
  std::string text = {};           // At most limits::kTextBytes of UTF-8, more than white space
  Json metadata = Json::object();  // At most kDocumentMetadataBytes as JSON text; null counts as {}
};

struct DocumentWriteOptions {
  Durability durability = Durability::kDurable;
  std::optional<ProducerTag> producer = {};
};

// Of a duplicate (the producer's sequence was seen before) only the position is told; the counts
// are 0.
struct DocumentWriteResult {
  Position position = {};
  uint64_t documents = 0;        // Distinct ids stored; by Delete: that were there.
  uint64_t chunks = 0;           // Stored; by Delete: that are gone.
  uint64_t tokens = 0;           // Embedded, special tokens and titles included.
  uint64_t replaced_chunks = 0;  // Of the documents' earlier versions.
  bool duplicate = false;
};

struct Passage {
  float score = 0;
  std::string document_id;  // Empty when the point was not written by Upsert.
  std::string title;
  uint32_t chunk = 0;  // From 0 within the document.
  uint64_t begin = 0;  // Byte range of `text` within the document's text.
  uint64_t end = 0;
  std::string text;  // Without white space at its ends.
  Json metadata = Json::object();
};

struct PassageQuery {
  std::string text = {};
  uint64_t k = 10;
  uint64_t offset = 0;
  std::optional<Filter> filter = {};  // On the payload of chunks: "metadata.author", "document.id".
  std::optional<float> score_threshold = {};
  std::optional<uint32_t> ef_search = {};
  std::optional<uint32_t> nprobe = {};
  bool exact = false;
};

// Where the time of a text query went.
struct QueryTimes {
  absl::Duration tokenize, embed, filter, search;
};

struct PassageResult {
  std::vector<Passage> passages;
  QueryTimes times;
  bool query_truncated = false;
  std::string plan;  // Of the engine's search.
  uint64_t distances = 0;
};

// The vector of a text query.
struct QueryVector {
  std::vector<float> values;
  absl::Duration tokenize_time, embed_time;
  uint32_t tokens = 0;
  bool truncated = false;
};

}  // namespace vettore
