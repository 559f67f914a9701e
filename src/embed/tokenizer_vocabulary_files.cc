#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "base/file.h"
#include "base/status.h"
#include "base/strings.h"
#include "embed/json_fields.h"
#include "embed/tokenizer_files.h"

namespace vettore {
namespace {

constexpr size_t kMaxVocabularyBytes = 64 << 20;
constexpr uint32_t kMaxIds = 1 << 24;

absl::StatusOr<std::vector<std::pair<std::string, uint32_t>>> ReadVocabulary(
    const std::filesystem::path& path) {
  VETTORE_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxVocabularyBytes));
  std::vector<std::pair<std::string, uint32_t>> pieces;
  std::string_view rest = text;
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  if (rest.empty()) return absl::InvalidArgumentError(StrCat(path.string(), ": is empty"));
  for (size_t begin = 0; begin <= rest.size();) {
    const size_t end = std::min(rest.find('\n', begin), rest.size());
    std::string_view line = rest.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    pieces.emplace_back(line, static_cast<uint32_t>(pieces.size()));
    begin = end + 1;
  }
  return pieces;
}

// A special token is written as its text or as an object with its text in "content".
absl::StatusOr<AddedToken> ReadSpecialToken(const JsonFields& file, std::string_view key) {
  AddedToken token;
  token.special = true;
  const Json* value = file.Find(key);
  if (value == nullptr || value->is_string()) {
    VETTORE_RETURN_IF_ERROR(file.Read(key, token.content));
    return token;
  }
  if (!value->is_object()) return file.Error(key, "a string or an object");
  const JsonFields fields(*value, StrCat(file.where(), ": ", key));
  VETTORE_RETURN_IF_ERROR(fields.Read("content", token.content));
  VETTORE_RETURN_IF_ERROR(fields.Read("lstrip", token.lstrip));
  VETTORE_RETURN_IF_ERROR(fields.Read("rstrip", token.rstrip));
  return token;
}

absl::Status ReadBehaviour(const JsonFields& file, BertNormalizerOptions& normalizer) {
  std::string tokenizer_class = "BertTokenizer";
  VETTORE_RETURN_IF_ERROR(file.Read("tokenizer_class", tokenizer_class));
  std::string_view family = tokenizer_class;
  if (family.ends_with("Fast")) family.remove_suffix(4);
  if (family != "BertTokenizer" && family != "DistilBertTokenizer") {
    return file.Error("tokenizer_class", "BertTokenizer (the only one supported)");
  }
  bool splits_into_words = true;
  VETTORE_RETURN_IF_ERROR(file.Read("do_basic_tokenize", splits_into_words));
  if (!splits_into_words) return file.Error("do_basic_tokenize", "true (the only one supported)");
  VETTORE_RETURN_IF_ERROR(file.Read("do_lower_case", normalizer.lowercase));
  VETTORE_RETURN_IF_ERROR(file.Read("tokenize_chinese_chars", normalizer.handle_chinese_chars));
  normalizer.strip_accents = normalizer.lowercase;
  return file.Read("strip_accents", normalizer.strip_accents);
}

// The tokens that other files than vocab.txt may have added.
absl::Status ReadAddedTokens(const JsonFields& file, std::vector<AddedToken>& tokens) {
  const Json* list = file.Find("added_tokens_decoder");
  if (list == nullptr) return absl::OkStatus();
  if (!list->is_object()) return file.Error("added_tokens_decoder", "an object");
  for (const auto& [id_text, value] : list->items()) {
    const JsonFields fields(value, StrCat(file.where(), ": added_tokens_decoder.", id_text));
    AddedToken token;
    bool is_single_word = false;
    VETTORE_RETURN_IF_ERROR(fields.Read("content", token.content));
    VETTORE_RETURN_IF_ERROR(fields.Read("lstrip", token.lstrip));
    VETTORE_RETURN_IF_ERROR(fields.Read("rstrip", token.rstrip));
    VETTORE_RETURN_IF_ERROR(fields.Read("normalized", token.normalized));
    VETTORE_RETURN_IF_ERROR(fields.Read("special", token.special));
    VETTORE_RETURN_IF_ERROR(fields.Read("single_word", is_single_word));
    if (token.content.empty()) return fields.Error("content", "a string that is not empty");
    if (is_single_word) return fields.Error("single_word", "false (the only one supported)");
    if (!absl::SimpleAtoi(id_text, &token.id) || token.id >= kMaxIds) {
      return file.Error("added_tokens_decoder", "ids below 16777216 as keys");
    }
    tokens.push_back(std::move(token));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<WordPieceConfig> ReadVocabularyFiles(const std::filesystem::path& vocabulary,
                                                    const std::filesystem::path& config_path) {
  VETTORE_ASSIGN_OR_RETURN(const Json json, ReadJsonFile(config_path));
  const JsonFields file(json, config_path.string());
  WordPieceConfig config;
  VETTORE_RETURN_IF_ERROR(ReadBehaviour(file, config.normalizer));
  VETTORE_ASSIGN_OR_RETURN(config.vocabulary, ReadVocabulary(vocabulary));
  absl::flat_hash_map<std::string_view, uint32_t> ids;
  for (const auto& [text, id] : config.vocabulary) ids[text] = id;
  VETTORE_RETURN_IF_ERROR(ReadAddedTokens(file, config.added_tokens));

  constexpr std::pair<std::string_view, std::string_view> kSpecialTokens[] = {
      {"unk_token", "[UNK]"}, {"sep_token", "[SEP]"},   {"pad_token", "[PAD]"},
      {"cls_token", "[CLS]"}, {"mask_token", "[MASK]"},
  };
  for (const auto& [key, usual] : kSpecialTokens) {
    VETTORE_ASSIGN_OR_RETURN(AddedToken token, ReadSpecialToken(file, key));
    if (token.content.empty()) token.content = usual;
    const auto id = ids.find(token.content);
    if (id == ids.end()) {
      return absl::InvalidArgumentError(StrCat(vocabulary.string(), ": the ", key, " '",
                                               token.content, "' is not among its tokens"));
    }
    token.id = id->second;
    if (key == "unk_token") config.unknown_id = token.id;
    if (key == "cls_token") config.prefix_ids = {token.id};
    if (key == "sep_token") config.suffix_ids = {token.id};
    config.added_tokens.push_back(std::move(token));
  }
  return config;
}

}  // namespace vettore
