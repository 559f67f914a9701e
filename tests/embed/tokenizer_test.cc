#include "embed/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "embed/tiny_model.h"
#include "support/temporary_directory.h"
#include "support/zstd_file.h"
#include "types/json.h"

namespace vettore {
namespace {

using ::testing::HasSubstr;

constexpr size_t kAll = std::numeric_limits<size_t>::max();

Json GoldenTokenizer() { return Json::parse(ReadOrDie(GoldenDirectory() / "tokenizer.json")); }

std::unique_ptr<Tokenizer> Load(const Json& description, const TokenizerOptions& options = {}) {
  const TemporaryDirectory dir;
  Write(dir.path() / "tokenizer.json", description.dump());
  auto loaded = Tokenizer::Load(dir.path(), options);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return loaded.ok() ? *std::move(loaded) : nullptr;
}

std::string LoadError(const Json& description) {
  const TemporaryDirectory dir;
  Write(dir.path() / "tokenizer.json", description.dump());
  const auto loaded = Tokenizer::Load(dir.path());
  EXPECT_EQ(loaded.status().code(), absl::StatusCode::kInvalidArgument) << loaded.status();
  EXPECT_THAT(std::string(loaded.status().message()), HasSubstr("tokenizer.json"));
  return std::string(loaded.status().message());
}

std::vector<uint32_t> Flat(const std::vector<Token>& tokens) {
  std::vector<uint32_t> flat;
  for (const Token& token : tokens) flat.insert(flat.end(), {token.id, token.begin, token.end});
  return flat;
}

std::vector<uint32_t> IdsOf(const std::vector<uint32_t>& flat) {
  std::vector<uint32_t> ids;
  for (size_t i = 0; i < flat.size(); i += 3) ids.push_back(flat[i]);
  return ids;
}

std::vector<std::string> Texts(const Tokenizer& tokenizer, std::string_view text,
                               size_t max = kAll) {
  std::vector<std::string> texts;
  for (const Token& token : tokenizer.Tokenize(text, max)) {
    texts.emplace_back(tokenizer.TokenText(token.id));
  }
  return texts;
}

struct Variant {
  const char* name;
  Json normalizer;
};

// The expected ids and offsets were written by the reference implementation:
// tools/generate-tokenizer-golden.
TEST(Tokenizer, AgreesWithTheReferenceOnHardLines) {
  const Variant variants[] = {
      {"uncased", Json::object()},
      {"cased", {{"lowercase", false}}},
      {"cased_stripped", {{"lowercase", false}, {"strip_accents", true}}},
      {"uncased_accents", {{"strip_accents", false}}},
      {"unclean", {{"clean_text", false}, {"handle_chinese_chars", false}}},
      {"special_as_text", Json::object()},
  };
  const auto cases = ParseJsonLines(ReadOrDie(GoldenDirectory() / "cases.jsonl"));
  ASSERT_TRUE(cases.ok()) << cases.status();
  ASSERT_GE(cases->size(), 200u);
  for (const Variant& variant : variants) {
    Json description = GoldenTokenizer();
    description["normalizer"].update(variant.normalizer);
    TokenizerOptions options;
    if (std::string_view(variant.name) == "special_as_text") {
      options.special_tokens_in_text = SpecialTokensInText::kAsText;
    }
    const auto tokenizer = Load(description, options);
    ASSERT_NE(tokenizer, nullptr);
    for (const Json& c : *cases) {
      const auto text = c["text"].get<std::string>();
      const auto expected = c.value(variant.name, c["uncased"]).get<std::vector<uint32_t>>();
      const std::vector<uint32_t> found = Flat(tokenizer->Tokenize(text, kAll));
      const bool ids_only = c.value("ids_only", false);
      EXPECT_EQ(ids_only ? IdsOf(found) : found, ids_only ? IdsOf(expected) : expected)
          << variant.name << ": " << c["text"];
    }
  }
}

TEST(Tokenizer, StopsAfterMaxTokensWithAPrefixOfTheWhole) {
  const auto tokenizer = Load(GoldenTokenizer());
  const std::string text = "unplayable [SEP] 中文 quick-brown fox";
  const std::vector<uint32_t> whole = Flat(tokenizer->Tokenize(text, kAll));
  for (size_t max = 0; max <= whole.size() / 3; ++max) {
    const std::vector<uint32_t> head(whole.begin(),
                                     whole.begin() + static_cast<std::ptrdiff_t>(3 * max));
    EXPECT_EQ(Flat(tokenizer->Tokenize(text, max)), head) << max;
  }
}

TEST(Tokenizer, SpecialTokensAroundATextComeFromTheTemplateOrBertProcessing) {
  Json description = GoldenTokenizer();
  const auto id = [&](const char* token) {
    return description["model"]["vocab"][token].get<uint32_t>();
  };
  auto tokenizer = Load(description);
  EXPECT_EQ(tokenizer->prefix_ids(), std::vector<uint32_t>{id("[CLS]")});
  EXPECT_EQ(tokenizer->suffix_ids(), std::vector<uint32_t>{id("[SEP]")});
  description["post_processor"] = {
      {"type", "BertProcessing"}, {"sep", {"[SEP]", id("[SEP]")}}, {"cls", {"[CLS]", id("[CLS]")}}};
  tokenizer = Load(description);
  EXPECT_EQ(tokenizer->prefix_ids(), std::vector<uint32_t>{id("[CLS]")});
  EXPECT_EQ(tokenizer->suffix_ids(), std::vector<uint32_t>{id("[SEP]")});
}

TEST(Tokenizer, NormalizedAddedTokensMatchNormalizedText) {
  Json description = GoldenTokenizer();
  const size_t size = description["model"]["vocab"].size();
  const auto add = [&](const char* content, Json options) {
    Json token = {{"id", size + description["added_tokens"].size()}, {"content", content}};
    token.update(options);
    description["added_tokens"].push_back(token);
  };
  add("Héllo!", {{"normalized", true}});
  add("<cut>", {{"lstrip", true}, {"rstrip", true}});
  const auto tokenizer = Load(description);
  EXPECT_EQ(Texts(*tokenizer, "HE\u0301LLO! a"), (std::vector<std::string>{"Héllo!", "a"}));
  EXPECT_EQ(Texts(*tokenizer, "ahello!"), (std::vector<std::string>{"a", "Héllo!"}));
  const std::vector<Token> tokens = tokenizer->Tokenize("a \u3000<cut>\t b", kAll);
  ASSERT_EQ(tokens.size(), 3u);
  EXPECT_EQ(tokens[1].begin, 1u);
  EXPECT_EQ(tokens[1].end, 12u);
}

TEST(Tokenizer, VocabularyFilesGiveTheSameTokensAsTokenizerJson) {
  const Json description = GoldenTokenizer();
  const auto whole = Load(description);
  std::string vocabulary;
  for (uint32_t id = 0; id < whole->vocabulary_size(); ++id) {
    StrAppend(&vocabulary, whole->TokenText(id), "\n");
  }
  const TemporaryDirectory dir;
  Write(dir.path() / "vocab.txt", vocabulary);
  Write(dir.path() / "tokenizer_config.json",
        R"({"do_lower_case": true, "model_max_length": 1000000000000000019884624838656,
            "tokenizer_class": "BertTokenizer", "mask_token": {"content": "[MASK]"}})");
  const auto split = Tokenizer::Load(dir.path());
  ASSERT_TRUE(split.ok()) << split.status();
  EXPECT_EQ((*split)->fingerprint(), whole->fingerprint());
  const auto cases = ParseJsonLines(ReadOrDie(GoldenDirectory() / "cases.jsonl"));
  for (const Json& c : *cases) {
    const auto text = c["text"].get<std::string>();
    EXPECT_EQ(Flat((*split)->Tokenize(text, kAll)), Flat(whole->Tokenize(text, kAll))) << c["text"];
  }
}

TEST(Tokenizer, FingerprintFollowsWhatDecidesAboutIdsAndNothingElse) {
  const Json description = GoldenTokenizer();
  const std::string fingerprint = Load(description)->fingerprint();
  Json other = description;
  other["truncation"] = nullptr;
  other["padding"] = nullptr;
  EXPECT_EQ(Load(other)->fingerprint(), fingerprint);
  other["normalizer"]["lowercase"] = false;
  EXPECT_NE(Load(other)->fingerprint(), fingerprint);
  other = description;
  std::swap(other["model"]["vocab"]["the"], other["model"]["vocab"]["a"]);
  EXPECT_NE(Load(other)->fingerprint(), fingerprint);
  EXPECT_NE(
      Load(description, {.special_tokens_in_text = SpecialTokensInText::kAsText})->fingerprint(),
      fingerprint);
}

TEST(Tokenizer, InvalidUtf8IsHarmless) {
  const auto tokenizer = Load(GoldenTokenizer());
  for (const char* text :
       {"\x80", "a\xC3", "\xE4\xB8", "\xF0\x9F\x98", "\xFF\xFEz", "\xED\xA0\x80", "a\xC0\x80g"}) {
    for (const Token& token : tokenizer->Tokenize(text, kAll)) {
      EXPECT_LE(token.end, std::string_view(text).size());
      EXPECT_LE(token.begin, token.end);
    }
  }
}

TEST(Tokenizer, RefusesWhatItDoesNotSupportNamingTheField) {
  const Json good = GoldenTokenizer();
  const auto with = [&](const char* pointer, Json value) {
    Json changed = good;
    changed[Json::json_pointer(pointer)] = std::move(value);
    return LoadError(changed);
  };
  EXPECT_THAT(with("/model/type", "BPE"), HasSubstr("expected WordPiece"));
  EXPECT_THAT(with("/normalizer/type", "NFKC"), HasSubstr("BertNormalizer"));
  EXPECT_THAT(with("/normalizer", nullptr), HasSubstr("normalizer"));
  EXPECT_THAT(with("/pre_tokenizer/type", "Whitespace"), HasSubstr("BertPreTokenizer"));
  EXPECT_THAT(with("/post_processor/type", "RobertaProcessing"), HasSubstr("post_processor"));
  EXPECT_THAT(with("/model/unk_token", "<nope>"), HasSubstr("unk_token"));
  EXPECT_THAT(with("/model/vocab", Json::array()), HasSubstr("vocab"));
  EXPECT_THAT(with("/model/vocab/the", -1), HasSubstr("field 'the'"));
  EXPECT_THAT(with("/model/vocab/the", 4'000'000'000u), HasSubstr("field 'the'"));
  EXPECT_THAT(with("/model/max_input_chars_per_word", 1u << 31),
              HasSubstr("max_input_chars_per_word"));
  EXPECT_THAT(with("/added_tokens/0/single_word", true), HasSubstr("added_tokens[0]"));
  EXPECT_THAT(with("/added_tokens/0/content", ""), HasSubstr("content"));
  EXPECT_THAT(with("/added_tokens/0/id", 77), HasSubstr("as in the vocabulary"));
  EXPECT_THAT(with("/post_processor/special_tokens", Json::object()), HasSubstr("special_tokens"));
  EXPECT_THAT(LoadError(Json::array()), HasSubstr("expected a JSON object"));
}

TEST(Tokenizer, MissingFilesAreNamed) {
  const TemporaryDirectory dir;
  auto loaded = Tokenizer::Load(dir.path());
  EXPECT_EQ(loaded.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(loaded.status().message()), HasSubstr("vocab.txt is missing"));
  Write(dir.path() / "vocab.txt", "[UNK]\na\n");
  loaded = Tokenizer::Load(dir.path());
  EXPECT_THAT(std::string(loaded.status().message()),
              HasSubstr("tokenizer_config.json is missing"));
  Write(dir.path() / "tokenizer_config.json", "{}");
  loaded = Tokenizer::Load(dir.path());
  EXPECT_EQ(loaded.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(loaded.status().message()), HasSubstr("[SEP]"));
  Write(dir.path() / "tokenizer_config.json", R"({"tokenizer_class": "XLMRobertaTokenizer"})");
  loaded = Tokenizer::Load(dir.path());
  EXPECT_THAT(std::string(loaded.status().message()), HasSubstr("tokenizer_class"));
}

}  // namespace
}  // namespace vettore
