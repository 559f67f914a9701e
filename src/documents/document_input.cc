#include "documents/document_input.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "base/status.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "documents/embedding_pipeline.h"
#include "documents/unicode.h"
#include "types/limits.h"

namespace vettore {
namespace {

absl::Status CheckUtf8(std::string_view text, std::string_view where) {
  const std::optional<size_t> bad = FindInvalidUtf8(text);
  if (!bad) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat(where, ": byte ", *bad, " is not UTF-8"));
}

absl::Status CheckSize(std::string_view text, size_t limit, std::string_view where) {
  if (text.size() <= limit) return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat(where, ": at most ", limit, " bytes, got ", text.size()));
}

absl::Status CheckMetadata(const Json& metadata, const std::string& where) {
  VETTORE_RETURN_IF_ERROR(ValidatePayload(metadata, where));
  const size_t bytes = metadata.dump().size();
  if (bytes <= kDocumentMetadataBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat(where, ": at most ", kDocumentMetadataBytes, " bytes as JSON text, got ", bytes,
             "; every chunk of the document repeats them, so keep what is long in the text"));
}

absl::Status CheckDocument(const Document& document, const std::string& where) {
  VETTORE_RETURN_IF_ERROR(CheckDocumentId(document.id, where + ".id"));
  VETTORE_RETURN_IF_ERROR(CheckSize(document.title, kTitleBytes, where + ".title"));
  VETTORE_RETURN_IF_ERROR(CheckUtf8(document.title, where + ".title"));
  VETTORE_RETURN_IF_ERROR(CheckSize(document.text, limits::kTextBytes, where + ".text"));
  VETTORE_RETURN_IF_ERROR(CheckUtf8(document.text, where + ".text"));
  if (TrimWhiteSpace(document.text).empty()) {
    return absl::InvalidArgumentError(
        StrCat(where, ".text: is ", document.text.empty() ? "empty" : "nothing but white space",
               ", there is nothing to find in document '", document.id, "'"));
  }
  return CheckMetadata(document.metadata, where + ".metadata");
}

// The title as it is embedded: at most `max_tokens` of it.
std::string Heading(const Tokenizer& tokenizer, std::string_view title, size_t max_tokens) {
  title = TrimWhiteSpace(title);
  const std::vector<Token> tokens = tokenizer.Tokenize(title, max_tokens + 1);
  if (tokens.size() > max_tokens) {
    title = TrimWhiteSpace(title.substr(0, CodePointFloor(title, tokens[max_tokens].begin)));
  }
  return title.empty() ? std::string() : StrCat(title, " ");
}

absl::Status Crowded(std::string_view where, std::string_view what, size_t limit) {
  return absl::InvalidArgumentError(
      StrCat(where, ": with it the call has more than ", limit, " ", what,
             "; send fewer documents in one call, or split a long one"));
}

}  // namespace

absl::Status CheckDocumentId(std::string_view id, std::string_view where) {
  if (id.empty() || id.size() > kDocumentIdBytes) {
    return absl::InvalidArgumentError(
        StrCat(where, ": a document id has 1 to ", kDocumentIdBytes, " bytes, got ", id.size()));
  }
  if (id.find('\0') != std::string_view::npos) {
    return absl::InvalidArgumentError(
        StrCat(where, ": '", absl::CHexEscape(AbslView(id)), "' holds a NUL"));
  }
  return CheckUtf8(id, where);
}

absl::StatusOr<std::vector<Document>> CheckDocuments(std::vector<Document> documents) {
  if (documents.empty() || documents.size() > kDocumentsPerCall) {
    return absl::InvalidArgumentError(
        StrCat("documents: 1 to ", kDocumentsPerCall, " in one call, got ", documents.size()));
  }
  absl::flat_hash_map<std::string_view, size_t> last;
  for (size_t i = 0; i < documents.size(); ++i) {
    if (documents[i].metadata.is_null()) documents[i].metadata = Json::object();
    VETTORE_RETURN_IF_ERROR(CheckDocument(documents[i], StrCat("documents[", i, "]")));
    last[documents[i].id] = i;
  }
  if (last.size() == documents.size()) return documents;
  std::vector<size_t> kept;
  for (const auto& [id, i] : last) kept.push_back(i);
  std::sort(kept.begin(), kept.end());
  std::vector<Document> distinct;
  distinct.reserve(kept.size());
  for (const size_t i : kept) distinct.push_back(std::move(documents[i]));
  return distinct;
}

absl::StatusOr<std::vector<CutDocument>> CutDocuments(std::vector<Document> documents,
                                                      const ChunkingConfig& chunking,
                                                      const Embedder& model,
                                                      const CancelToken& cancel) {
  const Tokenizer& tokenizer = model.tokenizer();
  const uint32_t window = TextTokens(model, chunking.max_tokens);
  if (window < 2) {  // Resolve saw to it, but a config may come from an older version.
    return absl::FailedPreconditionError(StrCat(
        "documents.max_tokens: ", chunking.max_tokens, " leaves no room to the text beside the ",
        "prompt of model '", model.info().name, "'; create the collection with more"));
  }
  std::vector<CutDocument> cuts;
  size_t chunks = 0;
  size_t metadata_bytes = 0;
  for (Document& document : documents) {
    CutDocument cut;
    cut.heading = Heading(tokenizer, document.title, window / 2);
    const size_t heading_tokens = tokenizer.Tokenize(cut.heading, window).size();
    const ChunkOptions options{
        .max_tokens = window - static_cast<uint32_t>(std::min<size_t>(heading_tokens, window - 1)),
        .overlap_tokens = chunking.overlap_tokens,
        .max_chunks = kChunksPerCall};
    const std::string where = StrCat("document '", document.id, "'");
    absl::StatusOr<std::vector<TextChunk>> found =
        ChunkText(tokenizer, document.text, options, cancel);
    if (!found.ok()) return Annotate(found.status(), where);
    cut.chunks = *std::move(found);
    chunks += cut.chunks.size();
    if (chunks > kChunksPerCall) return Crowded(where, "chunks", kChunksPerCall);
    metadata_bytes += document.metadata.dump().size() * cut.chunks.size();
    if (metadata_bytes > kMetadataBytesPerCall) {
      return Crowded(where, "bytes of metadata, as every chunk repeats its document's",
                     kMetadataBytesPerCall);
    }
    cut.document = std::move(document);
    cuts.push_back(std::move(cut));
  }
  return cuts;
}

}  // namespace vettore
