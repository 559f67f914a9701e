#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"
#include "base/strings.h"
#include "embed/json_fields.h"
#include "embed/tokenizer_files.h"

namespace vettore {
namespace {

constexpr JsonFields::Bounds kIdBounds = {0, (1 << 24) - 1};

// The object of a field whose "type" must be `type`.
absl::StatusOr<JsonFields> TypedObject(const JsonFields& file, std::string_view key,
                                       std::string_view type) {
  const Json* object = file.Find(key);
  if (object == nullptr || !object->is_object()) {
    return file.Error(key, StrCat("an object of type ", type));
  }
  JsonFields fields(*object, StrCat(file.where(), ": ", key));
  std::string found;
  VETTORE_RETURN_IF_ERROR(fields.Read("type", found));
  if (found != type) {
    return fields.Error("type", StrCat(type, " (the only one that is supported)"));
  }
  return fields;
}

absl::Status ReadNormalizer(const JsonFields& file, BertNormalizerOptions& options) {
  VETTORE_ASSIGN_OR_RETURN(const JsonFields fields,
                           TypedObject(file, "normalizer", "BertNormalizer"));
  VETTORE_RETURN_IF_ERROR(fields.Read("clean_text", options.clean_text));
  VETTORE_RETURN_IF_ERROR(fields.Read("handle_chinese_chars", options.handle_chinese_chars));
  VETTORE_RETURN_IF_ERROR(fields.Read("lowercase", options.lowercase));
  options.strip_accents = options.lowercase;  // Unless it says something else.
  return fields.Read("strip_accents", options.strip_accents);
}

absl::Status ReadVocabulary(const JsonFields& model, WordPieceConfig& config) {
  const Json* vocabulary = model.Find("vocab");
  if (vocabulary == nullptr || !vocabulary->is_object() || vocabulary->empty()) {
    return model.Error("vocab", "an object of tokens and their ids");
  }
  const JsonFields pieces(*vocabulary, StrCat(model.where(), ": vocab"));
  config.vocabulary.reserve(vocabulary->size());
  for (const auto& [text, ignored] : vocabulary->items()) {
    VETTORE_RETURN_IF_ERROR(pieces.Require(text));
    uint32_t id = 0;
    VETTORE_RETURN_IF_ERROR(pieces.Read(text, kIdBounds, id));
    config.vocabulary.emplace_back(text, id);
  }
  return absl::OkStatus();
}

absl::Status ReadModel(const JsonFields& file, WordPieceConfig& config) {
  VETTORE_ASSIGN_OR_RETURN(const JsonFields model, TypedObject(file, "model", "WordPiece"));
  VETTORE_RETURN_IF_ERROR(model.Read("continuing_subword_prefix", config.continuing_prefix));
  uint32_t max_chars = 100;
  VETTORE_RETURN_IF_ERROR(model.Read("max_input_chars_per_word", {1, 10'000}, max_chars));
  config.max_chars_per_word = max_chars;
  VETTORE_RETURN_IF_ERROR(ReadVocabulary(model, config));
  std::string unknown = "[UNK]";
  VETTORE_RETURN_IF_ERROR(model.Read("unk_token", unknown));
  for (const auto& [text, id] : config.vocabulary) {
    if (text != unknown) continue;
    config.unknown_id = id;
    return absl::OkStatus();
  }
  return model.Error("unk_token", "a token of the vocabulary");
}

absl::Status ReadAddedTokens(const JsonFields& file, WordPieceConfig& config) {
  const Json* list = file.Find("added_tokens");
  if (list == nullptr) return absl::OkStatus();
  if (!list->is_array()) return file.Error("added_tokens", "a list");
  absl::flat_hash_map<std::string, uint32_t> ids(config.vocabulary.begin(),
                                                 config.vocabulary.end());
  for (size_t i = 0; i < list->size(); ++i) {
    const JsonFields fields((*list)[i], StrCat(file.where(), ": added_tokens[", i, "]"));
    AddedToken token;
    bool is_single_word = false;
    VETTORE_RETURN_IF_ERROR(fields.Require("id"));
    VETTORE_RETURN_IF_ERROR(fields.Read("id", kIdBounds, token.id));
    VETTORE_RETURN_IF_ERROR(fields.Read("content", token.content));
    VETTORE_RETURN_IF_ERROR(fields.Read("lstrip", token.lstrip));
    VETTORE_RETURN_IF_ERROR(fields.Read("rstrip", token.rstrip));
    VETTORE_RETURN_IF_ERROR(fields.Read("normalized", token.normalized));
    VETTORE_RETURN_IF_ERROR(fields.Read("special", token.special));
    VETTORE_RETURN_IF_ERROR(fields.Read("single_word", is_single_word));
    if (token.content.empty()) return fields.Error("content", "a string that is not empty");
    if (is_single_word) return fields.Error("single_word", "false (the only one supported)");
    const auto known = ids.find(token.content);
    if (known != ids.end() && known->second != token.id) {
      return fields.Error("id", StrCat(known->second, " as in the vocabulary"));
    }
    config.added_tokens.push_back(std::move(token));
  }
  return absl::OkStatus();
}

// BertProcessing and its like: {"cls": ["[CLS]", 101], "sep": ["[SEP]", 102]}.
absl::Status ReadPair(const JsonFields& fields, std::string_view key, std::vector<uint32_t>& ids) {
  const Json* pair = fields.Find(key);
  const bool is_pair = pair != nullptr && pair->is_array() && pair->size() == 2 &&
                       (*pair)[1].is_number_unsigned() &&
                       (*pair)[1].get<uint64_t>() <= kIdBounds.most;
  if (!is_pair) return fields.Error(key, "a token and its id");
  ids = {(*pair)[1].get<uint32_t>()};
  return absl::OkStatus();
}

// The ids of one special token of a TemplateProcessing.
absl::Status AppendSpecialToken(const JsonFields& fields, const std::string& name,
                                std::vector<uint32_t>& ids) {
  const Json* all = fields.Find("special_tokens");
  const Json* token = all == nullptr ? nullptr : JsonFields(*all, "").Find(name);
  const Json* list = token == nullptr ? nullptr : JsonFields(*token, "").Find("ids");
  if (list == nullptr || !list->is_array()) {
    return fields.Error("special_tokens", StrCat("the ids of '", name, "'"));
  }
  for (const Json& id : *list) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() > kIdBounds.most) {
      return fields.Error("special_tokens", StrCat("the ids of '", name, "'"));
    }
    ids.push_back(id.get<uint32_t>());
  }
  return absl::OkStatus();
}

absl::Status ReadTemplate(const JsonFields& fields, WordPieceConfig& config) {
  const Json* single = fields.Find("single");
  if (single == nullptr || !single->is_array()) return fields.Error("single", "a list");
  bool is_text_seen = false;
  for (const Json& piece : *single) {
    const JsonFields piece_fields(piece, StrCat(fields.where(), ": single"));
    if (piece_fields.Find("Sequence") != nullptr && !is_text_seen) {
      is_text_seen = true;
      continue;
    }
    const Json* special = piece_fields.Find("SpecialToken");
    if (special == nullptr) return fields.Error("single", "special tokens around one text");
    const JsonFields special_fields(*special, piece_fields.where());
    std::string name;
    VETTORE_RETURN_IF_ERROR(special_fields.Read("id", name));
    VETTORE_RETURN_IF_ERROR(
        AppendSpecialToken(fields, name, is_text_seen ? config.suffix_ids : config.prefix_ids));
  }
  return is_text_seen ? absl::OkStatus() : fields.Error("single", "a place for the text");
}

absl::Status ReadPostProcessor(const JsonFields& file, WordPieceConfig& config) {
  const Json* object = file.Find("post_processor");
  if (object == nullptr) return absl::OkStatus();
  const JsonFields fields(*object, StrCat(file.where(), ": post_processor"));
  std::string type;
  VETTORE_RETURN_IF_ERROR(fields.Read("type", type));
  if (type == "TemplateProcessing") return ReadTemplate(fields, config);
  if (type != "BertProcessing") return fields.Error("type", "TemplateProcessing or BertProcessing");
  VETTORE_RETURN_IF_ERROR(ReadPair(fields, "cls", config.prefix_ids));
  return ReadPair(fields, "sep", config.suffix_ids);
}

}  // namespace

absl::StatusOr<WordPieceConfig> ReadTokenizerJson(const std::filesystem::path& path) {
  VETTORE_ASSIGN_OR_RETURN(const Json json, ReadJsonFile(path));
  const JsonFields file(json, path.string());
  WordPieceConfig config;
  VETTORE_RETURN_IF_ERROR(ReadModel(file, config));
  VETTORE_RETURN_IF_ERROR(ReadNormalizer(file, config.normalizer));
  const absl::Status pre_tokenizer =
      TypedObject(file, "pre_tokenizer", "BertPreTokenizer").status();
  VETTORE_RETURN_IF_ERROR(pre_tokenizer);
  VETTORE_RETURN_IF_ERROR(ReadAddedTokens(file, config));
  VETTORE_RETURN_IF_ERROR(ReadPostProcessor(file, config));
  return config;
}

}  // namespace vettore
