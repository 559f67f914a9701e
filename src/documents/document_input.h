// What a call brings in, checked and cut before anything costly is done with it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "documents/chunker.h"
#include "documents/document.h"
#include "embed/embedder.h"

namespace vettore {

// InvalidArgument unless the id is one that a document may have. `where` names the field.
absl::Status CheckDocumentId(std::string_view id, std::string_view where);

// Checks every document against the limits of document.h, then keeps the last one of each id,
// in the order of the call. Null metadata become an object.
absl::StatusOr<std::vector<Document>> CheckDocuments(std::vector<Document> documents);

// A document and how it is embedded.
struct CutDocument {
  Document document;
  std::string heading;  // Stands before each chunk: the title, cut to half the window, and a space;
                        // or nothing.
  std::vector<TextChunk> chunks;
};

// Chunks the documents for a model. InvalidArgument past kChunksPerCall or kMetadataBytesPerCall.
absl::StatusOr<std::vector<CutDocument>> CutDocuments(std::vector<Document> documents,
                                                      const ChunkingConfig& chunking,
                                                      const Embedder& model,
                                                      const CancelToken& cancel);

}  // namespace vettore
