#include "embed/model_config.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "embed/json_fields.h"
#include "types/limits.h"

namespace vettore {
namespace {

bool Exists(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

absl::Status ReadBertShape(const JsonFields& file, BertConfig& bert) {
  struct Row {
    std::string_view key;
    JsonFields::Bounds bounds;
    uint32_t* value;
  };
  const Row rows[] = {
      {"vocab_size", {1, 1 << 24}, &bert.vocabulary_size},
      {"hidden_size", {1, limits::kDimension}, &bert.hidden_size},
      {"num_hidden_layers", {1, 1'000}, &bert.layers},
      {"num_attention_heads", {1, 1'000}, &bert.heads},
      {"intermediate_size", {1, 1 << 20}, &bert.intermediate_size},
      {"max_position_embeddings", {1, 1 << 20}, &bert.max_positions},
      {"type_vocab_size", {1, 1'000}, &bert.token_types},
  };
  for (const Row& row : rows) {
    if (row.value != &bert.token_types) {
      VETTORE_RETURN_IF_ERROR(file.Require(row.key));
    }
    VETTORE_RETURN_IF_ERROR(file.Read(row.key, row.bounds, *row.value));
  }
  if (bert.hidden_size % bert.heads != 0) {
    return file.Error("num_attention_heads",
                      StrCat("a divisor of the hidden_size ", bert.hidden_size));
  }
  double epsilon = bert.layer_norm_epsilon;
  VETTORE_RETURN_IF_ERROR(file.Read("layer_norm_eps", epsilon));
  if (!(epsilon >= 0 && epsilon < 1)) return file.Error("layer_norm_eps", "a number in [0, 1)");
  bert.layer_norm_epsilon = static_cast<float>(epsilon);
  return absl::OkStatus();
}

absl::Status ReadBertConfig(const std::filesystem::path& path, BertConfig& bert) {
  VETTORE_ASSIGN_OR_RETURN(const Json json, ReadJsonFile(path));
  const JsonFields file(json, path.string());
  // What must have this one value, the first of which an absent field means.
  struct Only {
    std::string_view key, value, when_absent;
  };
  for (const Only& only : {Only{"model_type", "bert", ""}, Only{"hidden_act", "gelu", "gelu"},
                           Only{"position_embedding_type", "absolute", "absolute"}}) {
    std::string found(only.when_absent);
    VETTORE_RETURN_IF_ERROR(file.Read(only.key, found));
    if (found != only.value) {
      return file.Error(only.key, StrCat("'", only.value, "' (the only one that is supported)"));
    }
  }
  return ReadBertShape(file, bert);
}

absl::Status ReadPooling(const std::filesystem::path& path, Pooling& pooling) {
  VETTORE_ASSIGN_OR_RETURN(const Json json, ReadJsonFile(path));
  const JsonFields file(json, path.string());
  std::vector<std::string> modes;
  for (const auto& [key, value] : json.items()) {
    if (key.starts_with("pooling_mode_") && value.is_boolean() && value.get<bool>()) {
      modes.push_back(key);
    }
  }
  std::string named;  // Newer files name one mode instead of switching each on or off.
  VETTORE_RETURN_IF_ERROR(file.Read("pooling_mode", named));
  if (!named.empty()) {
    modes = {named == "mean"  ? "pooling_mode_mean_tokens"
             : named == "cls" ? "pooling_mode_cls_token"
                              : named};
  }
  bool includes_prompt = true;
  VETTORE_RETURN_IF_ERROR(file.Read("include_prompt", includes_prompt));
  if (!includes_prompt) return file.Error("include_prompt", "true (the only one supported)");
  if (modes.size() == 1 && modes[0] == "pooling_mode_mean_tokens") {
    pooling = Pooling::kMean;
    return absl::OkStatus();
  }
  if (modes.size() == 1 && modes[0] == "pooling_mode_cls_token") {
    pooling = Pooling::kCls;
    return absl::OkStatus();
  }
  std::string found;
  for (const std::string& mode : modes) StrAppend(&found, found.empty() ? "" : " and ", mode);
  return absl::InvalidArgumentError(
      StrCat(path.string(), ": expected pooling by pooling_mode_mean_tokens or ",
             "pooling_mode_cls_token alone, found ", found.empty() ? "none" : found));
}

// A module's folder: within the model directory, whatever the file says.
absl::StatusOr<std::filesystem::path> ModulePath(const std::filesystem::path& model_dir,
                                                 const JsonFields& module) {
  std::string text;
  VETTORE_RETURN_IF_ERROR(module.Read("path", text));
  const std::filesystem::path relative(text);
  const bool goes_up = std::find(relative.begin(), relative.end(), "..") != relative.end();
  if (relative.is_absolute() || goes_up || text.find('\0') != std::string::npos) {
    return module.Error("path", "a folder inside the model directory");
  }
  return text.empty() ? model_dir : model_dir / relative;
}

absl::Status ReadModules(const std::filesystem::path& model_dir, ModelConfig& config) {
  const std::filesystem::path path = model_dir / "modules.json";
  VETTORE_ASSIGN_OR_RETURN(const Json modules, ReadJsonFile(path, Json::value_t::array));
  bool is_pooled = false;
  for (size_t i = 0; i < modules.size(); ++i) {
    const JsonFields module(modules[i], StrCat(path.string(), "[", i, "]"));
    std::string type;
    VETTORE_RETURN_IF_ERROR(module.Read("type", type));
    const std::string_view name = std::string_view(type).substr(type.rfind('.') + 1);
    VETTORE_ASSIGN_OR_RETURN(const std::filesystem::path dir, ModulePath(model_dir, module));
    if (name == "Transformer" && i == 0) {
      config.transformer_dir = dir;
    } else if (name == "Pooling" && i == 1) {
      is_pooled = true;
      VETTORE_RETURN_IF_ERROR(ReadPooling(dir / "config.json", config.pooling));
    } else if (name == "Normalize" && is_pooled) {
      config.normalized = true;
    } else {
      return module.Error("type", "Transformer, then Pooling, then Normalize or nothing");
    }
  }
  if (is_pooled) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat(path.string(), ": holds no Pooling module"));
}

// The least of what the files allow. Padding and truncation of tokenizer.json do not count.
absl::Status ReadMaxTokens(const ModelConfig& config, const std::filesystem::path& model_dir,
                           uint32_t& max_tokens) {
  max_tokens = config.bert.max_positions;
  struct Source {
    std::filesystem::path path;
    std::string_view key;
  };
  const Source sources[] = {
      {config.transformer_dir / "sentence_bert_config.json", "max_seq_length"},
      {model_dir / "sentence_bert_config.json", "max_seq_length"},
      {config.transformer_dir / "tokenizer_config.json", "model_max_length"},
  };
  for (const Source& source : sources) {
    if (!Exists(source.path)) continue;
    VETTORE_ASSIGN_OR_RETURN(const Json json, ReadJsonFile(source.path));
    const JsonFields file(json, source.path.string());
    double limit = 0;
    VETTORE_RETURN_IF_ERROR(file.Read(source.key, limit));
    if (limit == 0) continue;
    if (limit < 3) return file.Error(source.key, "at least 3 tokens");
    // "No limit" is written as 1e30.
    max_tokens = static_cast<uint32_t>(std::min<double>(limit, max_tokens));
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

// Texts are put into lower case by the tokeniser or not at all.
absl::StatusOr<bool> WantsLowercase(const std::filesystem::path& dir) {
  const std::filesystem::path path = dir / "sentence_bert_config.json";
  bool wants = false;
  if (!Exists(path)) return wants;
  VETTORE_ASSIGN_OR_RETURN(const Json json, ReadJsonFile(path));
  VETTORE_RETURN_IF_ERROR(JsonFields(json, path.string()).Read("do_lower_case", wants));
  return wants;
}

absl::Status ReadPrompts(const std::filesystem::path& path, ModelConfig& config) {
  if (!Exists(path)) return absl::OkStatus();
  VETTORE_ASSIGN_OR_RETURN(const Json json, ReadJsonFile(path));
  const JsonFields file(json, path.string());
  const Json* object = file.Find("prompts");
  if (object == nullptr) return absl::OkStatus();
  if (!object->is_object()) return file.Error("prompts", "an object of names and prompts");
  const JsonFields prompts(*object, StrCat(path.string(), ": prompts"));
  std::string usual_name;
  VETTORE_RETURN_IF_ERROR(file.Read("default_prompt_name", usual_name));
  std::string usual;
  if (!usual_name.empty()) {
    VETTORE_RETURN_IF_ERROR(prompts.Read(usual_name, usual));
  }
  config.query_prompt = config.document_prompt = usual;
  VETTORE_RETURN_IF_ERROR(prompts.Read("query", config.query_prompt));
  VETTORE_RETURN_IF_ERROR(prompts.Read("passage", config.document_prompt));
  return prompts.Read("document", config.document_prompt);
}

}  // namespace

absl::StatusOr<ModelConfig> ReadModelConfig(const std::filesystem::path& model_dir) {
  ModelConfig config;
  config.transformer_dir = model_dir;
  if (Exists(model_dir / "modules.json")) {
    VETTORE_RETURN_IF_ERROR(ReadModules(model_dir, config));
  }
  VETTORE_RETURN_IF_ERROR(ReadBertConfig(config.transformer_dir / "config.json", config.bert));
  VETTORE_RETURN_IF_ERROR(ReadMaxTokens(config, model_dir, config.max_tokens));
  VETTORE_ASSIGN_OR_RETURN(config.lowercases, WantsLowercase(config.transformer_dir));
  VETTORE_RETURN_IF_ERROR(ReadPrompts(model_dir / "config_sentence_transformers.json", config));
  return config;
}

}  // namespace vettore
