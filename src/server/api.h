// Every operation of the server, once: protobuf in and out, whatever door it came through.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "documents/document_store.h"
#include "embed/model_directory.h"
#include "engine/database.h"
#include "server/request_context.h"
#include "types/limits.h"
#include "vettore/v1/admin.pb.h"
#include "vettore/v1/collections.pb.h"
#include "vettore/v1/documents.pb.h"
#include "vettore/v1/embeddings.pb.h"
#include "vettore/v1/points.pb.h"
#include "vettore/v1/search.pb.h"

namespace vettore {

struct ApiOptions {
  uint64_t max_message_bytes =
      limits::kMessageBytes;  // Of a reply; what would be larger is refused early.
  uint32_t threads = 0;       // As GetStatus tells them.
  absl::Time started;
};

// Each method converts strictly (what is unset, unknown or over a limit is InvalidArgument with the
// field), calls the rooms below and converts back. What the proto says of an rpc holds of its
// method. Thread-safe.
class Api {
 public:
  // The borrows must outlive it.
  Api(Database& database, ModelDirectory& models, DocumentStore& documents,
      const ApiOptions& options)
      : database_(database), models_(models), documents_(documents), options_(options) {}

  template <typename Response>
  using Reply = absl::StatusOr<Response>;
  using Context = RequestContext;

  Reply<v1::CreateCollectionResponse> CreateCollection(const v1::CreateCollectionRequest& request,
                                                       const Context& context);
  Reply<v1::GetCollectionResponse> GetCollection(const v1::GetCollectionRequest& request,
                                                 const Context& context);
  Reply<v1::ListCollectionsResponse> ListCollections(const v1::ListCollectionsRequest& request,
                                                     const Context& context);
  Reply<v1::DeleteCollectionResponse> DeleteCollection(const v1::DeleteCollectionRequest& request,
                                                       const Context& context);
  Reply<v1::SetAliasResponse> SetAlias(const v1::SetAliasRequest& request, const Context& context);
  Reply<v1::DeleteAliasResponse> DeleteAlias(const v1::DeleteAliasRequest& request,
                                             const Context& context);
  Reply<v1::ListAliasesResponse> ListAliases(const v1::ListAliasesRequest& request,
                                             const Context& context);

  Reply<v1::UpsertResponse> UpsertPoints(const v1::UpsertRequest& request, const Context& context);
  Reply<v1::GetResponse> GetPoints(const v1::GetRequest& request, const Context& context);
  Reply<v1::DeleteResponse> DeletePoints(const v1::DeleteRequest& request, const Context& context);
  Reply<v1::ScrollResponse> ScrollPoints(const v1::ScrollRequest& request, const Context& context);
  Reply<v1::CountResponse> CountPoints(const v1::CountRequest& request, const Context& context);

  Reply<v1::SearchResponse> Search(const v1::SearchRequest& request, const Context& context);
  Reply<v1::SearchBatchResponse> SearchBatch(const v1::SearchBatchRequest& request,
                                             const Context& context);

  Reply<v1::ListModelsResponse> ListModels(const v1::ListModelsRequest& request,
                                           const Context& context);
  Reply<v1::EmbedResponse> Embed(const v1::EmbedRequest& request, const Context& context);

  Reply<v1::UpsertDocumentsResponse> UpsertDocuments(const v1::UpsertDocumentsRequest& request,
                                                     const Context& context);
  Reply<v1::GetDocumentResponse> GetDocument(const v1::GetDocumentRequest& request,
                                             const Context& context);
  Reply<v1::DeleteDocumentsResponse> DeleteDocuments(const v1::DeleteDocumentsRequest& request,
                                                     const Context& context);
  Reply<v1::SearchPassagesResponse> SearchPassages(const v1::SearchPassagesRequest& request,
                                                   const Context& context);

  Reply<v1::GetStatusResponse> GetStatus(const v1::GetStatusRequest& request,
                                         const Context& context);

 private:
  // A search, but for `collection` and `read`; text is embedded, and `trace` told of it.
  absl::StatusOr<SearchRequest> ToSearch(const v1::SearchRequest& request,
                                         const CollectionConfig& config, const Context& context,
                                         v1::SearchTrace& trace) const;
  // Of a request's field `collection`: a name or an alias.
  absl::StatusOr<std::shared_ptr<Collection>> Find(const std::string& name) const;

  Database& database_;
  ModelDirectory& models_;
  DocumentStore& documents_;
  const ApiOptions options_;
};

}  // namespace vettore
