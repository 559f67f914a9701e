#include "embed/model_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "embed/tiny_model.h"
#include "support/temporary_directory.h"

namespace vettore {
namespace {

using ::testing::HasSubstr;

class ModelConfigTest : public ::testing::Test {
 protected:
  ModelConfigTest() : model_(dir_.path() / "m") {}

  void Change(const char* file, const char* key, Json value) {
    Json json = Json::parse(ReadOrDie(path(file)));
    json[key] = std::move(value);
    Write(path(file), json.dump());
  }
  void Put(const char* file, std::string_view text) { Write(path(file), text); }
  std::string Error() {
    const auto config = ReadModelConfig(model_.dir());
    EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument) << config.status();
    return std::string(config.status().message());
  }
  std::filesystem::path path(const char* file) const { return model_.dir() / file; }
  const TinyModel& model() const { return model_; }

 private:
  TemporaryDirectory dir_;
  TinyModel model_;
};

TEST_F(ModelConfigTest, ReadsModulesPoolingAndLimits) {
  const auto config = ReadModelConfig(model().dir());
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->pooling, Pooling::kMean);
  EXPECT_TRUE(config->normalized);
  EXPECT_EQ(config->max_tokens, 64u);
  EXPECT_EQ(config->bert.hidden_size, 32u);
  EXPECT_EQ(config->query_prompt, "");
}

TEST_F(ModelConfigTest, MaxTokensComesFromTheFirstFileThatLimits) {
  std::filesystem::remove(path("sentence_bert_config.json"));
  Put("tokenizer_config.json", R"({"model_max_length": 40})");
  EXPECT_EQ(ReadModelConfig(model().dir())->max_tokens, 40u);
  Put("tokenizer_config.json", R"({"model_max_length": 1000000000000000019884624838656})");
  EXPECT_EQ(ReadModelConfig(model().dir())->max_tokens, 80u);  // Of the positions.
  Put("sentence_bert_config.json", R"({"max_seq_length": null})");
  EXPECT_EQ(ReadModelConfig(model().dir())->max_tokens, 80u);
  Put("sentence_bert_config.json", R"({"max_seq_length": 2})");
  EXPECT_THAT(Error(), HasSubstr("at least 3 tokens"));
  Put("sentence_bert_config.json", R"({"max_seq_length": -5})");
  EXPECT_THAT(Error(), HasSubstr("max_seq_length"));
}

TEST_F(ModelConfigTest, PromptsAreReadByName) {
  Put("config_sentence_transformers.json",
      R"({"prompts": {"query": "query: ", "passage": "passage: ", "sts": "s: "}})");
  auto config = ReadModelConfig(model().dir());
  EXPECT_EQ(config->query_prompt, "query: ");
  EXPECT_EQ(config->document_prompt, "passage: ");
  Put("config_sentence_transformers.json",
      R"({"prompts": {"sts": "s: "}, "default_prompt_name": "sts"})");
  config = ReadModelConfig(model().dir());
  EXPECT_EQ(config->query_prompt, "s: ");
  EXPECT_EQ(config->document_prompt, "s: ");
}

TEST_F(ModelConfigTest, ClsPoolingAndTheNewerSpellingAreRead) {
  Put("1_Pooling/config.json",
      R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false})");
  EXPECT_EQ(ReadModelConfig(model().dir())->pooling, Pooling::kCls);
  Put("1_Pooling/config.json", R"({"pooling_mode": "mean"})");
  EXPECT_EQ(ReadModelConfig(model().dir())->pooling, Pooling::kMean);
}

TEST_F(ModelConfigTest, OtherPoolingIsRefusedByItsName) {
  Put("1_Pooling/config.json", R"({"pooling_mode_max_tokens": true})");
  EXPECT_THAT(Error(), HasSubstr("found pooling_mode_max_tokens"));
  Put("1_Pooling/config.json",
      R"({"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true})");
  EXPECT_THAT(Error(), HasSubstr(" and "));
  Put("1_Pooling/config.json", "{}");
  EXPECT_THAT(Error(), HasSubstr("found none"));
  Put("1_Pooling/config.json", R"({"pooling_mode": "lasttoken"})");
  EXPECT_THAT(Error(), HasSubstr("lasttoken"));
}

TEST_F(ModelConfigTest, WithoutModulesTheMeanIsTakenAsItIs) {
  std::filesystem::remove(path("modules.json"));
  const auto config = ReadModelConfig(model().dir());
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->pooling, Pooling::kMean);
  EXPECT_FALSE(config->normalized);
}

TEST_F(ModelConfigTest, UnknownModulesAndPathsOutsideAreRefused) {
  Put("modules.json",
      R"([{"path": "", "type": "x.Transformer"}, {"path": "1_Pooling", "type": "x.Pooling"},
                          {"path": "2_Dense", "type": "x.Dense"}])");
  EXPECT_THAT(Error(), HasSubstr("x.Dense"));
  for (const char* outside : {"../other", "/etc", "a/../../b"}) {
    Put("modules.json", Json{{{"path", outside}, {"type", "x.Transformer"}}}.dump());
    EXPECT_THAT(Error(), HasSubstr("inside the model directory"));
  }
  Put("modules.json", R"([{"path": "", "type": "x.Transformer"}])");
  EXPECT_THAT(Error(), HasSubstr("no Pooling"));
  Put("modules.json", "{}");
  EXPECT_THAT(Error(), HasSubstr("expected a JSON array"));
}

TEST_F(ModelConfigTest, WhatIsNotBertIsRefusedNamingTheField) {
  Change("config.json", "model_type", "xlm-roberta");
  EXPECT_THAT(Error(), HasSubstr("config.json: field 'model_type': expected 'bert'"));
  Change("config.json", "model_type", nullptr);
  EXPECT_THAT(Error(), HasSubstr("model_type"));
  Change("config.json", "model_type", "bert");
  Change("config.json", "hidden_act", "relu");
  EXPECT_THAT(Error(), HasSubstr("hidden_act"));
  Change("config.json", "hidden_act", "gelu");
  Change("config.json", "position_embedding_type", "relative_key");
  EXPECT_THAT(Error(), HasSubstr("position_embedding_type"));
}

TEST_F(ModelConfigTest, SizesOutOfRangeAreRefusedNamingTheField) {
  const std::string good = ReadOrDie(path("config.json"));
  const std::pair<const char*, Json> bad[] = {
      {"hidden_size", 0},          {"hidden_size", -32},           {"hidden_size", 1u << 31},
      {"hidden_size", "32"},       {"num_hidden_layers", 1e9},     {"num_attention_heads", 5},
      {"vocab_size", nullptr},     {"intermediate_size", 2.5},     {"layer_norm_eps", -1},
      {"layer_norm_eps", "small"}, {"max_position_embeddings", 0},
  };
  for (const auto& [key, value] : bad) {
    Put("config.json", good);
    Change("config.json", key, value);
    EXPECT_THAT(Error(), HasSubstr(key)) << value;
  }
}

TEST_F(ModelConfigTest, AMissingConfigIsNamed) {
  std::filesystem::remove(path("config.json"));
  EXPECT_THAT(Error(), HasSubstr("config.json: the file is missing"));
}

}  // namespace
}  // namespace vettore
