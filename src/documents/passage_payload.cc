#include "documents/passage_payload.h"

#include <limits>
#include <utility>

#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

std::optional<uint64_t> ReadCount(const Json& object, std::string_view path) {
  const Json* value = FindPath(object, path);
  if (value == nullptr || !value->is_number_integer()) return std::nullopt;
  if (!value->is_number_unsigned() && value->get<int64_t>() < 0) return std::nullopt;
  return value->get<uint64_t>();
}

std::optional<std::string> ReadText(const Json& object, std::string_view path) {
  const Json* value = FindPath(object, path);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->get<std::string>();
}

}  // namespace

PointId ChunkId(std::string_view document_id, uint64_t chunk) {
  absl::StatusOr<PointId> id = PointId::Parse(StrCat(document_id, "#", chunk));
  VETTORE_CHECK(id.ok());
  return *std::move(id);
}

Json ToPayload(const StoredChunk& chunk) {
  const Passage& passage = chunk.passage;
  return Json{{"document",
               {{"id", passage.document_id},
                {"title", passage.title},
                {"chunk", passage.chunk},
                {"chunks", chunk.chunks},
                {"begin", passage.begin},
                {"end", passage.end}}},
              {"text", passage.text},
              {"metadata", passage.metadata}};
}

std::optional<StoredChunk> ChunkFromPayload(const Json& payload) {
  std::optional<std::string> id = ReadText(payload, "document.id");
  std::optional<std::string> title = ReadText(payload, "document.title");
  std::optional<std::string> text = ReadText(payload, "text");
  const std::optional<uint64_t> chunk = ReadCount(payload, "document.chunk");
  const std::optional<uint64_t> chunks = ChunkCount(payload);
  const std::optional<uint64_t> begin = ReadCount(payload, "document.begin");
  const std::optional<uint64_t> end = ReadCount(payload, "document.end");
  const Json* metadata = FindPath(payload, "metadata");
  if (!id || !title || !text || !chunk || !chunks || !begin || !end || metadata == nullptr) {
    return std::nullopt;
  }
  if (*chunk > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  StoredChunk stored;
  stored.chunks = *chunks;
  stored.passage.document_id = *std::move(id);
  stored.passage.title = *std::move(title);
  stored.passage.chunk = static_cast<uint32_t>(*chunk);
  stored.passage.begin = *begin;
  stored.passage.end = *end;
  stored.passage.text = *std::move(text);
  stored.passage.metadata = *metadata;
  return stored;
}

std::optional<uint64_t> ChunkCount(const Json& payload) {
  const std::optional<uint64_t> chunks = ReadCount(payload, "document.chunks");
  // A call writes no more; anything else is not ours.
  if (!chunks || *chunks == 0 || *chunks > kChunksPerCall) return std::nullopt;
  return chunks;
}

}  // namespace vettore
