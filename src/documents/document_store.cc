// The calls: check, cut, embed, then alone with the documents read what is stored and write.
#include "documents/document_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "base/status.h"
#include "base/strings.h"
#include "documents/document_input.h"
#include "documents/document_locks.h"
#include "documents/embedding_pipeline.h"
#include "documents/passage_payload.h"
#include "documents/unicode.h"
#include "types/limits.h"

namespace vettore {
namespace {

constexpr std::string_view kPassageVector = "";

// The collection, if it takes documents.
absl::StatusOr<std::shared_ptr<Collection>> DocumentCollection(const Database& database,
                                                               const Name& name) {
  VETTORE_ASSIGN_OR_RETURN(std::shared_ptr<Collection> collection, database.Get(name));
  const CollectionConfig& config = collection->config();
  if (!config.documents || config.FindVector(kPassageVector) == nullptr) {
    return absl::FailedPreconditionError(StrCat(
        "collection '", name.str(), "': takes no documents; create one with `documents` set and a ",
        "default vector (name \"\") that names a model, or write points instead"));
  }
  return collection;
}

std::vector<DocumentLocks::Key> LockKeys(const Collection& collection,
                                         const std::vector<std::string_view>& ids) {
  std::vector<DocumentLocks::Key> keys;
  keys.reserve(ids.size());
  for (const std::string_view id : ids) keys.push_back({.collection = &collection, .id = id});
  return keys;
}

// How many chunks each document has in the collection; 0 where it is not there. A point under the
// id of a chunk 0 that was not written by the store counts as one chunk.
absl::StatusOr<std::vector<uint64_t>> StoredChunkCounts(const Collection& collection,
                                                        const std::vector<std::string_view>& ids,
                                                        const CancelToken& cancel) {
  std::vector<PointId> first_chunks;
  first_chunks.reserve(ids.size());
  for (const std::string_view id : ids) first_chunks.push_back(ChunkId(id, 0));
  Selection selection;
  selection.payload_fields = {"document.chunks"};
  VETTORE_ASSIGN_OR_RETURN(const std::vector<std::optional<PointRead>> found,
                           collection.Get(first_chunks, selection, ReadOptions(), cancel));
  std::vector<uint64_t> counts;
  counts.reserve(ids.size());
  for (const std::optional<PointRead>& point : found) {
    counts.push_back(point ? ChunkCount(point->payload).value_or(1) : 0);
  }
  return counts;
}

// The vectors of all chunks, row by row in the order of the cuts and their chunks.
absl::StatusOr<EmbedResult> EmbedChunks(const Embedder& model, const std::vector<CutDocument>& cuts,
                                        const CancelToken& cancel) {
  std::vector<std::string> headed;  // Owns what is put together from heading and chunk.
  std::vector<std::string_view> texts;
  size_t with_heading = 0;
  for (const CutDocument& cut : cuts) with_heading += cut.heading.empty() ? 0 : cut.chunks.size();
  headed.reserve(with_heading);  // The views into it must stay.
  for (const CutDocument& cut : cuts) {
    const std::string_view text = cut.document.text;
    for (const TextChunk& chunk : cut.chunks) {
      std::string_view words = TrimWhiteSpace(text.substr(chunk.begin, chunk.end - chunk.begin));
      if (words.empty()) continue;
      if (!cut.heading.empty()) words = headed.emplace_back(StrCat(cut.heading, words));
      texts.push_back(words);
    }
  }
  // The chunker made them fit; an error is better than a passage of which the end cannot be found.
  return model.Embed(texts, {.input_type = InputType::kDocument, .truncation = Truncation::kError},
                     cancel);
}

// The points of the cuts, in their order.
std::vector<PointWrite> ToPoints(const std::vector<CutDocument>& cuts, const EmbedResult& embedded,
                                 size_t dimension) {
  std::vector<PointWrite> points;
  const float* row = embedded.vectors.data();
  for (const CutDocument& cut : cuts) {
    const Document& document = cut.document;
    for (size_t i = 0; i < cut.chunks.size(); ++i) {
      const TextChunk& range = cut.chunks[i];
      StoredChunk chunk;
      chunk.chunks = cut.chunks.size();
      chunk.passage.document_id = document.id;
      chunk.passage.title = document.title;
      chunk.passage.chunk = static_cast<uint32_t>(i);
      chunk.passage.begin = range.begin;
      chunk.passage.end = range.end;
      chunk.passage.text = document.text.substr(range.begin, range.end - range.begin);
      chunk.passage.metadata = document.metadata;
      PointWrite point;
      point.id = ChunkId(document.id, i);
      point.payload = ToPayload(chunk);
      if (!TrimWhiteSpace(chunk.passage.text).empty()) {
        point.vectors.push_back({.name = std::string(kPassageVector),
                                 .values = std::vector<float>(row, row + dimension)});
        row += dimension;
      }
      points.push_back(std::move(point));
    }
  }
  return points;
}

// A write deletes so many points at most. One document never has more.
absl::Status CheckDeletes(const WriteRequest& request) {
  if (request.deletes.size() <= limits::kBatchPoints) return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat("documents: their stored versions leave ", request.deletes.size(),
             " chunks to delete, one call deletes at most ", limits::kBatchPoints,
             "; name fewer documents in one call"));
}

absl::Status Damaged(std::string_view id, uint64_t chunk) {
  return absl::DataLossError(StrCat(
      "document '", id, "': its chunk ", chunk, " is gone or does not continue the one before; ",
      "points of the collection were changed past the documents: ingest this document again"));
}

// Puts a document together from all its points.
absl::StatusOr<Document> Assemble(std::string_view id,
                                  const std::vector<std::optional<PointRead>>& points) {
  Document document;
  document.id = std::string(id);
  for (size_t i = 0; i < points.size(); ++i) {
    std::optional<StoredChunk> chunk;
    if (points[i]) chunk = ChunkFromPayload(points[i]->payload);
    if (!chunk || chunk->chunks != points.size()) return Damaged(id, i);
    Passage& passage = chunk->passage;
    const size_t reached = document.text.size();
    if (passage.document_id != id || passage.begin > reached || passage.end < reached ||
        passage.end - passage.begin != passage.text.size()) {
      return Damaged(id, i);
    }
    document.text.append(passage.text, reached - passage.begin);
    if (i > 0) continue;
    document.title = std::move(passage.title);
    document.metadata = std::move(passage.metadata);
  }
  return document;
}

Passage ToPassage(const ScoredPoint& scored) {
  Passage passage;
  if (std::optional<StoredChunk> chunk = ChunkFromPayload(scored.point.payload)) {
    passage = std::move(chunk->passage);
  } else if (const Json* text = FindPath(scored.point.payload, "text");
             text != nullptr && text->is_string()) {
    passage.text = text->get<std::string>();
    passage.end = passage.text.size();
  }
  // Stored chunks tile their document; who reads a passage does not want the gaps.
  const std::string_view words = TrimWhiteSpace(passage.text);
  const size_t skipped =
      words.empty() ? 0 : static_cast<size_t>(words.data() - passage.text.data());
  passage.begin += skipped;
  passage.end = passage.begin + words.size();
  passage.text = std::string(words);
  passage.score = scored.score;
  return passage;
}

// What can be refused before the question is embedded.
absl::Status CheckQuery(const PassageQuery& query) {
  if (query.k == 0 || query.k > limits::kSearchLimit ||
      query.offset > limits::kSearchLimit - query.k) {
    return absl::InvalidArgumentError(StrCat("k: k + offset is 1 to ", limits::kSearchLimit,
                                             ", got k ", query.k, " and offset ", query.offset));
  }
  return query.filter ? ValidateFilter(*query.filter) : absl::OkStatus();
}

}  // namespace

DocumentStore::DocumentStore(Database& database, ModelDirectory& models)
    : database_(database),
      embeddings_(std::make_unique<const EmbeddingPipeline>(models)),
      locks_(std::make_unique<DocumentLocks>()) {}

DocumentStore::~DocumentStore() = default;

absl::Status DocumentStore::Resolve(CollectionConfig& config) const {
  return embeddings_->Resolve(config);
}

absl::StatusOr<std::shared_ptr<const Embedder>> DocumentStore::ModelOf(
    const VectorConfig& vector) const {
  return embeddings_->ModelOf(vector);
}

absl::Status DocumentStore::FillVectors(const CollectionConfig& config,
                                        std::vector<PointWrite>& points,
                                        const CancelToken& cancel) const {
  return embeddings_->FillVectors(config, points, cancel);
}

absl::StatusOr<QueryVector> DocumentStore::EmbedQuery(const CollectionConfig& config,
                                                      std::string_view vector_name,
                                                      std::string_view text,
                                                      const CancelToken& cancel) const {
  return embeddings_->EmbedQuery(config, vector_name, text, cancel);
}

absl::StatusOr<DocumentWriteResult> DocumentStore::Upsert(const Name& collection,
                                                          std::vector<Document> documents,
                                                          const DocumentWriteOptions& options,
                                                          const CancelToken& cancel) {
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<Collection> target,
                           DocumentCollection(database_, collection));
  VETTORE_ASSIGN_OR_RETURN(documents, CheckDocuments(std::move(documents)));
  const CollectionConfig& config = target->config();
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<const Embedder> model,
                           ModelOf(*config.FindVector(kPassageVector)));
  VETTORE_ASSIGN_OR_RETURN(const std::vector<CutDocument> cuts,
                           CutDocuments(std::move(documents), *config.documents, *model, cancel));
  VETTORE_ASSIGN_OR_RETURN(const EmbedResult embedded, EmbedChunks(*model, cuts, cancel));

  WriteRequest request;
  request.upserts = ToPoints(cuts, embedded, model->info().dimension);
  request.durability = options.durability;
  request.producer = options.producer;
  DocumentWriteResult result;
  result.documents = cuts.size();
  result.chunks = request.upserts.size();
  for (const uint32_t tokens : embedded.token_counts) result.tokens += tokens;
  std::vector<std::string_view> ids;
  ids.reserve(cuts.size());
  for (const CutDocument& cut : cuts) ids.push_back(cut.document.id);

  // Held over the read and the durable write: what is surplus is decided by what was read, and
  // another writer of the document in between would leave its chunks behind.
  const DocumentLocks::Exclusive alone(*locks_, LockKeys(*target, ids));
  VETTORE_ASSIGN_OR_RETURN(const std::vector<uint64_t> stored,
                           StoredChunkCounts(*target, ids, cancel));
  for (size_t i = 0; i < cuts.size(); ++i) {
    result.replaced_chunks += stored[i];
    for (uint64_t chunk = cuts[i].chunks.size(); chunk < stored[i]; ++chunk) {
      request.deletes.push_back(ChunkId(ids[i], chunk));
    }
  }
  VETTORE_RETURN_IF_ERROR(CheckDeletes(request));
  VETTORE_ASSIGN_OR_RETURN(const WriteResult written, target->Write(std::move(request), cancel));
  if (written.duplicate)
    return DocumentWriteResult{.position = written.position, .duplicate = true};
  result.position = written.position;
  return result;
}

absl::StatusOr<DocumentWriteResult> DocumentStore::Delete(const Name& collection,
                                                          const std::vector<std::string>& ids,
                                                          const DocumentWriteOptions& options,
                                                          const CancelToken& cancel) {
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<Collection> target,
                           DocumentCollection(database_, collection));
  if (ids.empty() || ids.size() > kDocumentsPerCall) {
    return absl::InvalidArgumentError(
        StrCat("ids: 1 to ", kDocumentsPerCall, " in one call, got ", ids.size()));
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    VETTORE_RETURN_IF_ERROR(CheckDocumentId(ids[i], StrCat("ids[", i, "]")));
  }
  std::vector<std::string_view> distinct(ids.begin(), ids.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());

  // Held over the disk for the reason that Upsert has.
  const DocumentLocks::Exclusive alone(*locks_, LockKeys(*target, distinct));
  VETTORE_ASSIGN_OR_RETURN(const std::vector<uint64_t> stored,
                           StoredChunkCounts(*target, distinct, cancel));
  WriteRequest request;
  request.durability = options.durability;
  request.producer = options.producer;
  DocumentWriteResult result;
  for (size_t i = 0; i < distinct.size(); ++i) {
    result.documents += stored[i] > 0 ? 1 : 0;
    // The first chunk even of a document that is not there: the write then still has a position.
    for (uint64_t chunk = 0; chunk < std::max<uint64_t>(1, stored[i]); ++chunk) {
      request.deletes.push_back(ChunkId(distinct[i], chunk));
    }
  }
  VETTORE_RETURN_IF_ERROR(CheckDeletes(request));
  VETTORE_ASSIGN_OR_RETURN(const WriteResult written, target->Write(std::move(request), cancel));
  if (written.duplicate)
    return DocumentWriteResult{.position = written.position, .duplicate = true};
  result.position = written.position;
  result.chunks = written.deleted;
  return result;
}

absl::StatusOr<Document> DocumentStore::Get(const Name& collection, std::string_view id,
                                            const CancelToken& cancel) const {
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<Collection> target,
                           DocumentCollection(database_, collection));
  VETTORE_RETURN_IF_ERROR(CheckDocumentId(id, "id"));
  // Held over two reads, so that no writer changes the document between them.
  const DocumentLocks::Shared unchanged(*locks_, {.collection = target.get(), .id = id});
  VETTORE_ASSIGN_OR_RETURN(const std::vector<uint64_t> stored,
                           StoredChunkCounts(*target, {id}, cancel));
  if (stored[0] == 0) {
    return absl::NotFoundError(StrCat("document '", absl::CHexEscape(AbslView(id)),
                                      "': not in collection '", collection.str(), "'"));
  }
  std::vector<PointId> chunks;
  for (uint64_t chunk = 0; chunk < stored[0]; ++chunk) chunks.push_back(ChunkId(id, chunk));
  // The metadata stands in every chunk.
  Selection selection;
  selection.max_bytes = kMetadataBytesPerCall + 4 * limits::kTextBytes;
  VETTORE_ASSIGN_OR_RETURN(const std::vector<std::optional<PointRead>> points,
                           target->Get(chunks, selection, ReadOptions(), cancel));
  return Assemble(id, points);
}

absl::StatusOr<PassageResult> DocumentStore::Search(const Name& collection,
                                                    const PassageQuery& query,
                                                    const ReadOptions& read,
                                                    const CancelToken& cancel) const {
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<Collection> target,
                           DocumentCollection(database_, collection));
  VETTORE_RETURN_IF_ERROR(CheckQuery(query));
  VETTORE_ASSIGN_OR_RETURN(QueryVector embedded,
                           EmbedQuery(target->config(), kPassageVector, query.text, cancel));
  SearchRequest request;
  request.vector_name = std::string(kPassageVector);
  request.query = std::move(embedded.values);
  request.k = query.k;
  request.offset = query.offset;
  request.filter = query.filter;
  request.score_threshold = query.score_threshold;
  request.ef_search = query.ef_search;
  request.nprobe = query.nprobe;
  request.exact = query.exact;
  VETTORE_ASSIGN_OR_RETURN(SearchResult found, target->Search(request, read, cancel));
  PassageResult result;
  result.times = {.tokenize = embedded.tokenize_time,
                  .embed = embedded.embed_time,
                  .filter = found.filter_time,
                  .search = found.search_time};
  result.query_truncated = embedded.truncated;
  result.plan = std::move(found.plan);
  result.distances = found.distances;
  result.passages.reserve(found.points.size());
  for (const ScoredPoint& point : found.points) result.passages.push_back(ToPassage(point));
  return result;
}

}  // namespace vettore
