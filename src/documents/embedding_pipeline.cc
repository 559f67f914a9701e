#include "documents/embedding_pipeline.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "base/status.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "documents/unicode.h"
#include "types/limits.h"

namespace vettore {
namespace {

// Fewer tokens than this leave no room for a sentence beside the special tokens.
constexpr uint32_t kMinTextTokens = 8;

std::string VectorLabel(const VectorConfig& vector) { return StrCat("vector '", vector.name, "'"); }

// Whether a text can be embedded: UTF-8 within the limit, and not blank. `where` names its field.
absl::Status CheckText(std::string_view text, std::string_view where) {
  if (text.size() > limits::kTextBytes) {
    return absl::InvalidArgumentError(StrCat(where, ": ", text.size(),
                                             " bytes, a text to embed has at most ",
                                             limits::kTextBytes, "; split it"));
  }
  if (const std::optional<size_t> bad = FindInvalidUtf8(text)) {
    return absl::InvalidArgumentError(StrCat(where, ": byte ", *bad, " is not UTF-8"));
  }
  if (TrimWhiteSpace(text).empty()) {
    return absl::InvalidArgumentError(StrCat(where, ": the text to embed is ",
                                             text.empty() ? "empty" : "nothing but white space"));
  }
  return absl::OkStatus();
}

absl::Status ResolveChunking(const CollectionConfig& config, const Embedder& model,
                             ChunkingConfig& chunking) {
  for (const VectorConfig& vector : config.vectors) {
    if (vector.name.empty() || !vector.model) continue;
    return absl::InvalidArgumentError(
        StrCat(VectorLabel(vector), ": names a model, but in a collection of documents only ",
               "the default vector (name \"\") does; make a second collection for it"));
  }
  const ModelInfo& info = model.info();
  if (chunking.max_tokens == 0)
    chunking.max_tokens = std::min(info.max_tokens, limits::kMaxChunkTokens);
  if (chunking.max_tokens > info.max_tokens) {
    return absl::InvalidArgumentError(StrCat("documents.max_tokens: ", chunking.max_tokens,
                                             ", model '", info.name, "' takes at most ",
                                             info.max_tokens));
  }
  if (TextTokens(model, chunking.max_tokens) < kMinTextTokens) {
    return absl::InvalidArgumentError(
        StrCat("documents.max_tokens: ", chunking.max_tokens, " leaves fewer than ", kMinTextTokens,
               " tokens to the text beside the special tokens and the prompt ", "of model '",
               info.name, "'"));
  }
  if (chunking.overlap_tokens >= (chunking.max_tokens + 1) / 2) {
    return absl::InvalidArgumentError(StrCat("documents.overlap_tokens: ", chunking.overlap_tokens,
                                             ", must be less than half of max_tokens, which is ",
                                             chunking.max_tokens));
  }
  return absl::OkStatus();
}

// The points that lack a vector and have its text, and the texts in the same order.
struct MissingVectors {
  std::vector<size_t> points;
  std::vector<std::string_view> texts;
};

absl::StatusOr<MissingVectors> FindMissing(const VectorConfig& vector,
                                           const std::vector<PointWrite>& points) {
  MissingVectors missing;
  for (size_t i = 0; i < points.size(); ++i) {
    const std::vector<NamedVector>& given = points[i].vectors;
    if (std::any_of(given.begin(), given.end(),
                    [&](const NamedVector& v) { return v.name == vector.name; })) {
      continue;
    }
    if (!points[i].payload.is_object()) continue;  // The engine refuses it with its own words.
    const Json* text = FindPath(points[i].payload, vector.model->text_field);
    if (text == nullptr || text->is_null()) continue;
    const std::string where = StrCat("points[", i, "].payload.", vector.model->text_field);
    if (!text->is_string()) {
      return absl::InvalidArgumentError(StrCat(where, ": wanted a string for ", VectorLabel(vector),
                                               " to embed, got ", text->type_name()));
    }
    const std::string& words = text->get_ref<const std::string&>();
    VETTORE_RETURN_IF_ERROR(CheckText(words, where));
    missing.points.push_back(i);
    missing.texts.push_back(words);
  }
  return missing;
}

}  // namespace

uint32_t TextTokens(const Embedder& model, uint32_t max_tokens) {
  const Tokenizer& tokenizer = model.tokenizer();
  const size_t taken = tokenizer.prefix_ids().size() + tokenizer.suffix_ids().size() +
                       tokenizer.Tokenize(model.info().document_prompt, max_tokens).size();
  return taken >= max_tokens ? 0 : max_tokens - static_cast<uint32_t>(taken);
}

absl::Status EmbeddingPipeline::Resolve(CollectionConfig& config) const {
  std::shared_ptr<const Embedder> default_model;
  for (VectorConfig& vector : config.vectors) {
    if (!vector.model) continue;
    VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<const Embedder> model, Load(vector));
    const ModelInfo& info = model->info();
    if (vector.dimension == 0) vector.dimension = info.dimension;
    if (vector.dimension != info.dimension) {
      return absl::InvalidArgumentError(StrCat(VectorLabel(vector), ": dimension ",
                                               vector.dimension, ", model '", info.name, "' gives ",
                                               info.dimension));
    }
    vector.model->fingerprint = info.fingerprint;
    if (vector.model->text_field.empty()) vector.model->text_field = VectorModel().text_field;
    if (vector.name.empty()) default_model = model;
  }
  if (!config.documents) return absl::OkStatus();
  if (default_model == nullptr) {
    return absl::InvalidArgumentError(
        "documents: a collection of documents needs a default vector (name \"\") with a model");
  }
  return ResolveChunking(config, *default_model, *config.documents);
}

absl::StatusOr<std::shared_ptr<const Embedder>> EmbeddingPipeline::Load(
    const VectorConfig& vector) const {
  VETTORE_ASSIGN_OR_RETURN(const Name name,
                           Name::Parse(vector.model->name, StrCat(VectorLabel(vector), ": model")));
  absl::StatusOr<std::shared_ptr<const Embedder>> model = models_.Get(name);
  if (!model.ok()) return Annotate(model.status(), VectorLabel(vector));
  return model;
}

absl::StatusOr<std::shared_ptr<const Embedder>> EmbeddingPipeline::ModelOf(
    const VectorConfig& vector) const {
  if (!vector.model) {
    return absl::FailedPreconditionError(
        StrCat(VectorLabel(vector), ": names no embedding model, so it takes no text; give ",
               "the vector, or create the collection with a model"));
  }
  VETTORE_ASSIGN_OR_RETURN(std::shared_ptr<const Embedder> model, Load(vector));
  const ModelInfo& info = model->info();
  if (info.fingerprint != vector.model->fingerprint) {
    return absl::FailedPreconditionError(StrCat(
        VectorLabel(vector), ": was filled by model '", vector.model->name, "' with fingerprint ",
        vector.model->fingerprint, ", the models directory holds fingerprint ", info.fingerprint,
        "; their vectors do not compare: put the former model back, or create a new collection"));
  }
  return model;
}

absl::Status EmbeddingPipeline::FillVectors(const CollectionConfig& config,
                                            std::vector<PointWrite>& points,
                                            const CancelToken& cancel) const {
  if (points.size() > limits::kBatchPoints) {  // Before hours of embedding, not after.
    return absl::InvalidArgumentError(
        StrCat("points: at most ", limits::kBatchPoints, " in one batch, got ", points.size()));
  }
  // Everything is checked before anything is embedded.
  std::vector<std::pair<const VectorConfig*, MissingVectors>> work;
  for (const VectorConfig& vector : config.vectors) {
    if (!vector.model) continue;
    VETTORE_ASSIGN_OR_RETURN(MissingVectors missing, FindMissing(vector, points));
    if (!missing.points.empty()) work.emplace_back(&vector, std::move(missing));
  }
  for (const auto& [vector, missing] : work) {
    VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<const Embedder> model, ModelOf(*vector));
    absl::StatusOr<EmbedResult> embedded = model->Embed(missing.texts, EmbedOptions(), cancel);
    if (!embedded.ok()) return Annotate(embedded.status(), VectorLabel(*vector));
    const size_t dimension = model->info().dimension;
    for (size_t i = 0; i < missing.points.size(); ++i) {
      const float* row = embedded->vectors.data() + i * dimension;
      points[missing.points[i]].vectors.push_back(
          {.name = vector->name, .values = std::vector<float>(row, row + dimension)});
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<QueryVector> EmbeddingPipeline::EmbedQuery(const CollectionConfig& config,
                                                          std::string_view vector_name,
                                                          std::string_view text,
                                                          const CancelToken& cancel) const {
  const VectorConfig* vector = config.FindVector(vector_name);
  if (vector == nullptr) {
    return absl::InvalidArgumentError(
        StrCat("vector '", absl::CHexEscape(AbslView(vector_name.substr(0, limits::kNameBytes))),
               "': the collection has no vector of this name"));
  }
  VETTORE_RETURN_IF_ERROR(CheckText(text, "text"));
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<const Embedder> model, ModelOf(*vector));
  const EmbedOptions options{.input_type = InputType::kQuery, .truncation = Truncation::kEnd};
  VETTORE_ASSIGN_OR_RETURN(EmbedResult embedded, model->Embed({&text, 1}, options, cancel));
  return QueryVector{.values = std::move(embedded.vectors),
                     .tokenize_time = embedded.tokenize_time,
                     .embed_time = embedded.forward_time,
                     .tokens = embedded.token_counts[0],
                     .truncated = embedded.truncated[0]};
}

}  // namespace vettore
