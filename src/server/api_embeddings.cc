// Texts to vectors, and the models that do it.
#include <utility>

#include "absl/strings/str_join.h"
#include "base/status.h"
#include "server/api.h"
#include "server/convert_trace.h"
#include "server/field_path.h"
#include "types/limits.h"

namespace vettore {
namespace {

std::string_view NameOfPooling(Pooling pooling) {
  switch (pooling) {
    case Pooling::kMean:
      return "mean";
    case Pooling::kCls:
      return "cls";
  }
  return "";
}

absl::StatusOr<EmbedOptions> OptionsFromProto(const v1::EmbedRequest& request) {
  EmbedOptions options;
  switch (static_cast<int>(request.input_type())) {
    case v1::INPUT_TYPE_UNSPECIFIED:
    case v1::INPUT_TYPE_DOCUMENT:
      options.input_type = InputType::kDocument;
      break;
    case v1::INPUT_TYPE_QUERY:
      options.input_type = InputType::kQuery;
      break;
    default:
      return FieldPath("input_type")
          .Invalid(StrCat("unknown value ", static_cast<int>(request.input_type())));
  }
  switch (static_cast<int>(request.truncation())) {
    case v1::TRUNCATION_UNSPECIFIED:
    case v1::TRUNCATION_END:
      options.truncation = Truncation::kEnd;
      break;
    case v1::TRUNCATION_ERROR:
      options.truncation = Truncation::kError;
      break;
    default:
      return FieldPath("truncation")
          .Invalid(StrCat("unknown value ", static_cast<int>(request.truncation())));
  }
  return options;
}

void ModelToProto(const ModelInfo& info, v1::Model& out) {
  out.set_dimension(info.dimension);
  out.set_max_tokens(info.max_tokens);
  out.set_pooling(std::string(NameOfPooling(info.pooling)));
  out.set_normalized(info.normalized);
  out.set_query_prompt(info.query_prompt);
  out.set_document_prompt(info.document_prompt);
  out.set_fingerprint(info.fingerprint);
  out.set_parameters(info.parameters);
}

// The model that a request names, or the only one.
absl::StatusOr<Name> ModelName(const v1::EmbedRequest& request, const ModelDirectory& models) {
  if (!request.model().empty()) return Name::Parse(request.model(), "model");
  const std::vector<std::string> names = models.List();
  if (names.size() == 1) return Name::Parse(names.front(), "model");
  return FieldPath("model").Invalid(
      StrCat("may be empty only when the server has exactly one model, it has ", names.size(),
             names.empty() ? "" : ": ", absl::StrJoin(names, ", ")));
}

}  // namespace

Api::Reply<v1::ListModelsResponse> Api::ListModels(const v1::ListModelsRequest&,
                                                   const Context& context) {
  v1::ListModelsResponse response;
  for (const std::string& name : models_.List()) {
    VETTORE_RETURN_IF_ERROR(context.cancel.Poll());
    v1::Model& model = *response.add_models();
    model.set_name(name);
    const absl::StatusOr<Name> parsed = Name::Parse(name, "model");
    if (!parsed.ok()) {
      model.set_error(std::string(parsed.status().message()));
      continue;
    }
    const auto embedder = models_.Get(*parsed);
    if (embedder.ok()) {
      ModelToProto((*embedder)->info(), model);
    } else {
      model.set_error(std::string(embedder.status().message()));
    }
  }
  return response;
}

Api::Reply<v1::EmbedResponse> Api::Embed(const v1::EmbedRequest& request, const Context& context) {
  const auto count = static_cast<size_t>(request.texts_size());
  if (count < 1 || count > limits::kBatchPoints) {
    return FieldPath("texts").Invalid(StrCat("1 to ", limits::kBatchPoints, " texts, got ", count));
  }
  VETTORE_ASSIGN_OR_RETURN(const EmbedOptions options, OptionsFromProto(request));
  VETTORE_ASSIGN_OR_RETURN(const Name name, ModelName(request, models_));
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<const Embedder> embedder, models_.Get(name));
  const ModelInfo& info = embedder->info();
  if (count * info.dimension * sizeof(float) > options_.max_message_bytes) {
    return absl::ResourceExhaustedError(
        StrCat("texts: ", count, " vectors of ", info.dimension,
               " floats are more than a reply of ", options_.max_message_bytes,
               " bytes (max_message_bytes) holds; send fewer texts at a time"));
  }
  const std::vector<std::string_view> texts(request.texts().begin(), request.texts().end());
  VETTORE_ASSIGN_OR_RETURN(const EmbedResult result,
                           embedder->Embed(texts, options, context.cancel));
  v1::EmbedResponse response;
  for (size_t i = 0; i < count; ++i) {
    v1::Embedding& embedding = *response.add_embeddings();
    const float* values = result.vectors.data() + i * info.dimension;
    embedding.mutable_values()->Add(values, values + info.dimension);
    embedding.set_tokens(result.token_counts[i]);
    embedding.set_truncated(result.truncated[i]);
  }
  response.set_model(name.str());
  response.set_fingerprint(info.fingerprint);
  response.set_tokenize_us(Microseconds(result.tokenize_time));
  response.set_forward_us(Microseconds(result.forward_time));
  return response;
}

}  // namespace vettore
