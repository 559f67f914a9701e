// Documents in, passages out.
#include <utility>

#include "base/status.h"
#include "server/api.h"
#include "server/convert_filter.h"
#include "server/convert_payload.h"
#include "server/convert_point.h"
#include "server/convert_trace.h"
#include "types/limits.h"

namespace vettore {
namespace {

absl::StatusOr<Document> DocumentFromProto(const v1::Document& document, const FieldPath& path) {
  Document out{.id = document.id(), .title = document.title(), .text = document.text()};
  VETTORE_ASSIGN_OR_RETURN(out.metadata,
                           PayloadFromProto(document.metadata(), FieldPath(path, "metadata")));
  return out;
}

void PassageToProto(Passage passage, v1::Passage& out) {
  out.set_score(passage.score);
  out.set_document_id(std::move(passage.document_id));
  out.set_title(std::move(passage.title));
  out.set_chunk(passage.chunk);
  out.set_begin(passage.begin);
  out.set_end(passage.end);
  out.set_text(std::move(passage.text));
  if (passage.metadata.is_object()) PayloadToProto(passage.metadata, *out.mutable_metadata());
}

absl::StatusOr<DocumentWriteOptions> DocumentOptions(const v1::WriteOptions& options) {
  VETTORE_ASSIGN_OR_RETURN(WriteMode mode, WriteModeFromProto(options));
  return DocumentWriteOptions{.durability = mode.durability, .producer = std::move(mode.producer)};
}

absl::Status CheckBatch(int size, const FieldPath& path) {
  if (size >= 1 && static_cast<size_t>(size) <= limits::kBatchPoints) return absl::OkStatus();
  return path.Invalid(StrCat("a batch has 1 to ", limits::kBatchPoints, " documents, got ", size));
}

}  // namespace

Api::Reply<v1::UpsertDocumentsResponse> Api::UpsertDocuments(
    const v1::UpsertDocumentsRequest& request, const Context& context) {
  VETTORE_ASSIGN_OR_RETURN(const Name collection, Name::Parse(request.collection(), "collection"));
  VETTORE_RETURN_IF_ERROR(CheckBatch(request.documents_size(), FieldPath("documents")));
  VETTORE_ASSIGN_OR_RETURN(const DocumentWriteOptions options, DocumentOptions(request.options()));
  std::vector<Document> documents;
  documents.reserve(static_cast<size_t>(request.documents_size()));
  for (const v1::Document& document : request.documents()) {
    VETTORE_ASSIGN_OR_RETURN(Document converted,
                             DocumentFromProto(document, FieldPath("documents", documents.size())));
    documents.push_back(std::move(converted));
  }
  VETTORE_ASSIGN_OR_RETURN(
      const DocumentWriteResult result,
      documents_.Upsert(collection, std::move(documents), options, context.cancel));
  v1::UpsertDocumentsResponse response;
  PositionToProto(result.position, *response.mutable_position());
  response.set_documents(result.documents);
  response.set_chunks(result.chunks);
  response.set_tokens(result.tokens);
  response.set_replaced_chunks(result.replaced_chunks);
  response.set_duplicate(result.duplicate);
  return response;
}

Api::Reply<v1::GetDocumentResponse> Api::GetDocument(const v1::GetDocumentRequest& request,
                                                     const Context& context) {
  VETTORE_ASSIGN_OR_RETURN(const Name collection, Name::Parse(request.collection(), "collection"));
  VETTORE_ASSIGN_OR_RETURN(Document document,
                           documents_.Get(collection, request.id(), context.cancel));
  v1::GetDocumentResponse response;
  v1::Document& out = *response.mutable_document();
  out.set_id(std::move(document.id));
  out.set_title(std::move(document.title));
  out.set_text(std::move(document.text));
  if (document.metadata.is_object()) PayloadToProto(document.metadata, *out.mutable_metadata());
  return response;
}

Api::Reply<v1::DeleteDocumentsResponse> Api::DeleteDocuments(
    const v1::DeleteDocumentsRequest& request, const Context& context) {
  VETTORE_ASSIGN_OR_RETURN(const Name collection, Name::Parse(request.collection(), "collection"));
  VETTORE_RETURN_IF_ERROR(CheckBatch(request.ids_size(), FieldPath("ids")));
  VETTORE_ASSIGN_OR_RETURN(const DocumentWriteOptions options, DocumentOptions(request.options()));
  const std::vector<std::string> ids(request.ids().begin(), request.ids().end());
  VETTORE_ASSIGN_OR_RETURN(const DocumentWriteResult result,
                           documents_.Delete(collection, ids, options, context.cancel));
  v1::DeleteDocumentsResponse response;
  PositionToProto(result.position, *response.mutable_position());
  response.set_documents(result.documents);
  response.set_chunks(result.chunks);
  response.set_duplicate(result.duplicate);
  return response;
}

Api::Reply<v1::SearchPassagesResponse> Api::SearchPassages(const v1::SearchPassagesRequest& request,
                                                           const Context& context) {
  VETTORE_ASSIGN_OR_RETURN(const Name collection, Name::Parse(request.collection(), "collection"));
  PassageQuery query;
  query.text = request.text();
  query.k = request.k();
  query.offset = request.offset();
  VETTORE_ASSIGN_OR_RETURN(query.filter, OptionalFilter(request));
  if (request.has_score_threshold()) query.score_threshold = request.score_threshold();
  if (request.has_ef_search()) query.ef_search = request.ef_search();
  if (request.has_nprobe()) query.nprobe = request.nprobe();
  query.exact = request.exact();
  VETTORE_ASSIGN_OR_RETURN(const ReadOptions read, ReadOptionsFromProto(request.read()));
  VETTORE_ASSIGN_OR_RETURN(PassageResult result,
                           documents_.Search(collection, query, read, context.cancel));
  v1::SearchPassagesResponse response;
  for (Passage& passage : result.passages)
    PassageToProto(std::move(passage), *response.add_passages());
  v1::SearchTrace& trace = *response.mutable_trace();
  trace.set_plan(std::move(result.plan));
  trace.set_distances(result.distances);
  trace.set_tokenize_us(Microseconds(result.times.tokenize));
  trace.set_embed_us(Microseconds(result.times.embed));
  trace.set_filter_us(Microseconds(result.times.filter));
  trace.set_search_us(Microseconds(result.times.search));
  trace.set_total_us(Microseconds(absl::Now() - context.arrived));
  trace.set_query_truncated(result.query_truncated);
  return response;
}

}  // namespace vettore
