// The one interface of this room: documents in, passages out; text and vectors brought together.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "documents/document.h"
#include "embed/model_directory.h"
#include "engine/database.h"

namespace vettore {

class DocumentLocks;
class EmbeddingPipeline;

// A collection whose config has `documents` keeps each document as points, one a chunk, with the
// ids "<document id>#0", "<document id>#1" and so on, the default vector, and this payload, on
// which searches filter:
//
//   {"document": {"id": "faust", "title": "Faust",
//                 "chunk": 0, "chunks": 9, "begin": 0, "end": 812},
//    "text": "...",
//    "metadata": {"author": "Goethe"}}
//
// `text` is the bytes [begin, end) of the document; the end of a chunk may stand again at the
// beginning of the next one. A chunk of nothing but white space (64 KiB of it) is stored without a
// vector, so that no search finds it.
//
// Thread-safe. `database` and `models` must outlive it.
class DocumentStore {
 public:
  using QueryVector = vettore::QueryVector;

  DocumentStore(Database& database, ModelDirectory& models);
  ~DocumentStore();

  // Fills in a config before creation: the model's dimension and fingerprint, the chunk size.
  // NotFound or InvalidArgument when the model is not there or does not fit what was asked.
  absl::Status Resolve(CollectionConfig& config) const;

  // The model of a vector, loaded and checked against the stored fingerprint. FailedPrecondition on
  // a mismatch or when the vector names no model.
  absl::StatusOr<std::shared_ptr<const Embedder>> ModelOf(const VectorConfig& vector) const;

  // Embeds payload[text_field] into each vector that names a model and that the point lacks. A
  // point that has neither keeps lacking it. Texts beyond the model's window are embedded by their
  // beginning. InvalidArgument, naming `points[i]`, for a text field that is no string, or is
  // empty, too long or no UTF-8; then nothing was embedded.
  absl::Status FillVectors(const CollectionConfig& config, std::vector<PointWrite>& points,
                           const CancelToken& cancel) const;

  // The vector of a text query on `vector_name`. InvalidArgument for an empty text or one over
  // limits::kTextBytes, or an unknown vector.
  absl::StatusOr<QueryVector> EmbedQuery(const CollectionConfig& config,
                                         std::string_view vector_name, std::string_view text,
                                         const CancelToken& cancel) const;

  // Chunks, embeds and stores; a document that was there is replaced whole, in the same atomic
  // write, also when others write it at the same time. Within a call the last document of an id
  // wins. FailedPrecondition when the collection takes no documents; InvalidArgument naming
  // `documents[i]` and the field, or past the limits above.
  absl::StatusOr<DocumentWriteResult> Upsert(const Name& collection,
                                             std::vector<Document> documents,
                                             const DocumentWriteOptions& options,
                                             const CancelToken& cancel);
  // Deletes the documents' chunks. Ids that are not there are no error.
  absl::StatusOr<DocumentWriteResult> Delete(const Name& collection,
                                             const std::vector<std::string>& ids,
                                             const DocumentWriteOptions& options,
                                             const CancelToken& cancel);
  // The document as it was stored, put together from its chunks: the same bytes. NotFound; DataLoss
  // when its points were changed past this store.
  absl::StatusOr<Document> Get(const Name& collection, std::string_view id,
                               const CancelToken& cancel) const;

  // The passages nearest to a question, best first.
  absl::StatusOr<PassageResult> Search(const Name& collection, const PassageQuery& query,
                                       const ReadOptions& read, const CancelToken& cancel) const;

 private:
  Database& database_;
  const std::unique_ptr<const EmbeddingPipeline> embeddings_;
  const std::unique_ptr<DocumentLocks> locks_;
};

}  // namespace vettore
