#include "embed/embedder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/strings.h"
#include "embed/tiny_model.h"
#include "support/temporary_directory.h"
#include "types/limits.h"

namespace vettore {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<Embedder> LoadOrDie(const std::filesystem::path& dir) {
  auto loaded = Embedder::Load(dir);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return loaded.ok() ? *std::move(loaded) : nullptr;
}

std::vector<uint32_t> Ids(const Embedder& embedder, std::string_view text) {
  const Tokenizer& tokenizer = embedder.tokenizer();
  std::vector<uint32_t> ids = tokenizer.prefix_ids();
  for (const Token& token : tokenizer.Tokenize(text, std::numeric_limits<size_t>::max())) {
    ids.push_back(token.id);
  }
  ids.insert(ids.end(), tokenizer.suffix_ids().begin(), tokenizer.suffix_ids().end());
  return ids;
}

class EmbedderTest : public ::testing::Test {
 protected:
  EmbedderTest() : model_(dir_.path() / "tiny") {}

  absl::StatusOr<EmbedResult> Embed(const Embedder& embedder, const std::vector<std::string>& texts,
                                    const EmbedOptions& options = {},
                                    const CancelToken& cancel = {}) {
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    return embedder.Embed(views, options, cancel);
  }
  std::string LoadError(const std::filesystem::path& dir,
                        absl::StatusCode code = absl::StatusCode::kInvalidArgument) {
    const auto loaded = Embedder::Load(dir);
    EXPECT_EQ(loaded.status().code(), code) << loaded.status();
    return std::string(loaded.status().message());
  }
  std::filesystem::path Dir(const char* name) const { return dir_.path() / name; }
  const TinyModel& model() const { return model_; }

 private:
  TemporaryDirectory dir_;
  TinyModel model_;
};

const std::vector<std::string>& Texts() {
  static const auto* texts = new std::vector<std::string>{
      "The quick brown fox jumps over the lazy dog.",
      "",
      "a",
      "Привет, мир!",
      "中文字符测试",
      "한국어 문장입니다.",
      "players replayed the unplayable play, again and again and again"};
  return *texts;
}

TEST_F(EmbedderTest, VectorsAgreeWithTheDefinitionInDouble) {
  struct Case {
    const char* name;
    TinyModelOptions options;
  };
  const Case cases[] = {{"mean", {}},
                        {"cls", {.is_cls = true}},
                        {"f16", {.format = FloatFormat::kF16}},
                        {"bf16", {.format = FloatFormat::kBf16}},
                        {"prefix", {.prefix = "bert."}}};
  for (const Case& c : cases) {
    const TinyModel model(Dir(c.name), c.options);
    const auto embedder = LoadOrDie(model.dir());
    ASSERT_NE(embedder, nullptr);
    const auto result = Embed(*embedder, Texts());
    ASSERT_TRUE(result.ok()) << result.status();
    for (size_t i = 0; i < Texts().size(); ++i) {
      const std::vector<double> expected = model.Embed(Ids(*embedder, Texts()[i]));
      for (size_t j = 0; j < expected.size(); ++j) {
        EXPECT_NEAR(result->vectors[i * expected.size() + j], expected[j], 2e-6)
            << c.name << " " << Texts()[i];
      }
    }
  }
}

TEST_F(EmbedderTest, InfoTellsWhatTheFilesSay) {
  const auto embedder = LoadOrDie(model().dir());
  const ModelInfo& info = embedder->info();
  EXPECT_EQ(info.name, "tiny");
  EXPECT_EQ(info.dimension, 32u);
  EXPECT_EQ(info.max_tokens, 64u);
  EXPECT_TRUE(info.normalized);
  uint64_t parameters = 0;
  for (const auto& [name, tensor] : model().tensors()) parameters += tensor.values.size();
  EXPECT_EQ(info.parameters, parameters);
}

TEST_F(EmbedderTest, NeighboursInABatchDoNotChangeAVector) {
  const auto embedder = LoadOrDie(model().dir());
  std::vector<std::string> many;  // Enough for several chunks of a bulk call.
  for (int i = 0; i < 400; ++i) many.push_back(Texts()[i % Texts().size()]);
  const auto together = Embed(*embedder, many);
  ASSERT_TRUE(together.ok()) << together.status();
  for (size_t i = 0; i < Texts().size(); ++i) {
    const auto alone = Embed(*embedder, {Texts()[i]});
    for (size_t row = i; row < many.size(); row += Texts().size()) {
      for (size_t j = 0; j < 32; ++j) {
        EXPECT_NEAR(together->vectors[row * 32 + j], alone->vectors[j], 1e-6) << row;
      }
    }
  }
}

TEST_F(EmbedderTest, AnEmptyTextIsItsSpecialTokensAndNoTextsAreNoVectors) {
  const auto embedder = LoadOrDie(model().dir());
  const auto empty = Embed(*embedder, {""});
  ASSERT_TRUE(empty.ok()) << empty.status();
  EXPECT_EQ(empty->token_counts, std::vector<uint32_t>{2});
  EXPECT_EQ(empty->vectors.size(), 32u);
  const auto none = Embed(*embedder, {});
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_TRUE(none->vectors.empty());
}

TEST_F(EmbedderTest, TruncationIsReportedOrRefused) {
  const auto embedder = LoadOrDie(model().dir());
  std::string exact;  // 62 tokens and two special ones: as many as fit.
  for (int i = 0; i < 62; ++i) exact += "a ";
  const std::string longer = exact + "the";
  auto result = Embed(*embedder, {exact, longer}, {.truncation = Truncation::kEnd});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->token_counts, (std::vector<uint32_t>{64, 65}));
  EXPECT_EQ(result->truncated, (std::vector<bool>{false, true}));
  for (size_t j = 0; j < 32; ++j) EXPECT_NEAR(result->vectors[j], result->vectors[32 + j], 1e-6);

  EXPECT_TRUE(Embed(*embedder, {exact}, {.truncation = Truncation::kError}).ok());
  result = Embed(*embedder, {exact, longer}, {.truncation = Truncation::kError});
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("texts[1]: 65 tokens"));
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("at most 64"));
}

TEST_F(EmbedderTest, BadTextsAreRefusedBeforeAnyWork) {
  const auto embedder = LoadOrDie(model().dir());
  auto result = Embed(*embedder, {"fine", std::string(10 << 20, 'x')});
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(result.status().message()),
              HasSubstr("texts[1]: 10485760 bytes, the limit is 8388608"));
  result = Embed(*embedder, {"fine", "bad \xC3("});
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(result.status().message()),
              HasSubstr("texts[1]: not valid UTF-8 from byte 4"));
  EXPECT_EQ(embedder->counters().texts, 0u);
}

TEST_F(EmbedderTest, ALongTextThatIsAllowedIsCutNotRefused) {
  const auto embedder = LoadOrDie(model().dir());
  const auto result = Embed(*embedder, {std::string(limits::kTextBytes, 'x')});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->token_counts[0], 3u);  // One word too long to look up.
}

TEST_F(EmbedderTest, PromptsStandBeforeTheText) {
  Write(model().dir() / "config_sentence_transformers.json",
        R"({"prompts": {"query": "play: ", "document": "the "}})");
  const auto embedder = LoadOrDie(model().dir());
  const auto query = Embed(*embedder, {"a fox"}, {.input_type = InputType::kQuery});
  const auto document = Embed(*embedder, {"a fox"}, {.input_type = InputType::kDocument});
  const std::vector<double> as_query = model().Embed(Ids(*embedder, "play: a fox"));
  const std::vector<double> as_document = model().Embed(Ids(*embedder, "the a fox"));
  for (size_t j = 0; j < 32; ++j) {
    EXPECT_NEAR(query->vectors[j], as_query[j], 2e-6);
    EXPECT_NEAR(document->vectors[j], as_document[j], 2e-6);
  }
}

TEST_F(EmbedderTest, CountersCountWhatWasComputed) {
  const auto embedder = LoadOrDie(model().dir());
  const auto first = Embed(*embedder, Texts());
  const auto second = Embed(*embedder, {"a"});
  uint64_t tokens = 0;
  for (uint32_t count : first->token_counts) tokens += count;
  EXPECT_EQ(embedder->counters().texts, Texts().size() + 1);
  EXPECT_EQ(embedder->counters().tokens, tokens + second->token_counts[0]);
}

TEST_F(EmbedderTest, ACallThatIsGoneStops) {
  const auto embedder = LoadOrDie(model().dir());
  const CancelToken gone(absl::InfiniteFuture(), [] { return true; });
  EXPECT_EQ(Embed(*embedder, {"a"}, {}, gone).status().code(), absl::StatusCode::kCancelled);
  const CancelToken late(absl::Now() - absl::Seconds(1), nullptr);
  EXPECT_EQ(Embed(*embedder, {"a"}, {}, late).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(EmbedderTest, ABulkCallStopsBetweenChunks) {
  const auto embedder = LoadOrDie(model().dir());
  std::string text;
  for (int i = 0; i < 60; ++i) text += "fox ";
  const std::vector<std::string> many(20'000, text);
  // Fires once the forward passes have begun.
  const CancelToken cancel(absl::InfiniteFuture(), [&] { return embedder->counters().texts > 0; });
  const auto result = Embed(*embedder, many, {}, cancel);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kCancelled);
  EXPECT_GT(embedder->counters().texts, 0u);
  EXPECT_LT(embedder->counters().texts, many.size());
}

TEST_F(EmbedderTest, ConcurrentCallsGetTheirOwnVectors) {
  const auto embedder = LoadOrDie(model().dir());
  const auto expected = Embed(*embedder, Texts());
  ASSERT_TRUE(expected.ok());
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 24; ++t) {
    threads.emplace_back([&, t] {
      // Every third caller is a bulk one.
      const size_t copies = t % 3 == 0 ? 200 : 1;
      for (int round = 0; round < 5; ++round) {
        const size_t i = (t + static_cast<size_t>(round)) % Texts().size();
        const auto got = Embed(*embedder, std::vector<std::string>(copies, Texts()[i]));
        for (size_t j = 0; j < copies * 32; ++j) {
          if (!got.ok() || std::abs(got->vectors[j] - expected->vectors[i * 32 + j % 32]) > 1e-6f)
            ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(EmbedderTest, EqualFilesHaveEqualFingerprintsAndAChangeShows) {
  const std::string fingerprint = LoadOrDie(model().dir())->info().fingerprint;
  EXPECT_EQ(fingerprint.size(), 32u);
  EXPECT_EQ(LoadOrDie(TinyModel(Dir("same")).dir())->info().fingerprint, fingerprint);
  EXPECT_EQ(LoadOrDie(TinyModel(Dir("prefixed"), {.prefix = "bert."}).dir())->info().fingerprint,
            fingerprint);

  const auto changed = [&](const char* name, const TinyModelOptions& options) {
    return LoadOrDie(TinyModel(Dir(name), options).dir())->info().fingerprint;
  };
  EXPECT_NE(changed("cls", {.is_cls = true}), fingerprint);
  EXPECT_NE(changed("shorter", {.max_tokens = 63}), fingerprint);

  const TinyModel prompted(Dir("prompted"));
  Write(prompted.dir() / "config_sentence_transformers.json", R"({"prompts": {"query": "q: "}})");
  EXPECT_NE(LoadOrDie(prompted.dir())->info().fingerprint, fingerprint);

  const TinyModel other(Dir("weights"));
  TestTensors tensors = other.tensors();
  tensors.at("encoder.layer.1.output.dense.bias").values[3] += 1.0f / 64;
  Write(other.dir() / "model.safetensors", SafetensorsBytes(tensors, FloatFormat::kF32));
  EXPECT_NE(LoadOrDie(other.dir())->info().fingerprint, fingerprint);
}

TEST_F(EmbedderTest, DamagedWeightsAreRefusedNamingFileAndTensor) {
  const std::filesystem::path weights = model().dir() / "model.safetensors";
  const std::string whole = ReadOrDie(weights);
  Write(weights, whole.substr(0, whole.size() / 2));
  std::string error = LoadError(model().dir(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(error, HasSubstr("model.safetensors: tensor '"));
  EXPECT_THAT(error, HasSubstr("truncated"));

  const std::string name = "encoder.layer.1.intermediate.dense.weight";
  TestTensors tensors = model().tensors();
  tensors.at(name).values[5] = std::numeric_limits<float>::quiet_NaN();
  Write(weights, SafetensorsBytes(tensors, FloatFormat::kF32));
  EXPECT_THAT(LoadError(model().dir(), absl::StatusCode::kDataLoss), HasSubstr(name));

  tensors.erase(name);
  Write(weights, SafetensorsBytes(tensors, FloatFormat::kF32));
  error = LoadError(model().dir());
  EXPECT_THAT(error, HasSubstr(name));
  EXPECT_THAT(error, HasSubstr("is missing"));

  tensors[name] = {{32, 52}, std::vector<float>(32 * 52)};
  Write(weights, SafetensorsBytes(tensors, FloatFormat::kF32));
  EXPECT_THAT(LoadError(model().dir()), HasSubstr("asks for shape [52, 32], found [32, 52]"));

  std::filesystem::remove(weights);
  EXPECT_THAT(LoadError(model().dir()), HasSubstr("model.safetensors: the file is missing"));
}

TEST_F(EmbedderTest, ADirectoryWithoutATokenizerIsRefused) {
  std::filesystem::remove(model().dir() / "tokenizer.json");
  EXPECT_THAT(LoadError(model().dir()), HasSubstr("holds no tokeniser"));
  EXPECT_THAT(LoadError(Dir("nowhere")), HasSubstr("not a model directory"));
}

TEST_F(EmbedderTest, ATokenizerThatDoesNotFitTheModelIsRefused) {
  Json tokenizer = Json::parse(ReadOrDie(model().dir() / "tokenizer.json"));
  const Json good = tokenizer;
  tokenizer["model"]["vocab"]["onemore"] = model().config().vocabulary_size;
  Write(model().dir() / "tokenizer.json", tokenizer.dump());
  EXPECT_THAT(LoadError(model().dir()), HasSubstr("vocab_size"));
  tokenizer = good;
  tokenizer["post_processor"] = nullptr;
  Write(model().dir() / "tokenizer.json", tokenizer.dump());
  EXPECT_THAT(LoadError(model().dir()), HasSubstr("special tokens"));
  tokenizer["post_processor"] = {
      {"type", "BertProcessing"}, {"sep", {"[SEP]", 3}}, {"cls", {"[CLS]", 16'000'000}}};
  Write(model().dir() / "tokenizer.json", tokenizer.dump());
  EXPECT_THAT(LoadError(model().dir()), HasSubstr("post_processor has the id 16000000"));
  tokenizer = good;
  tokenizer["normalizer"]["lowercase"] = false;
  Write(model().dir() / "tokenizer.json", tokenizer.dump());
  Write(model().dir() / "sentence_bert_config.json",
        R"({"max_seq_length": 64, "do_lower_case": true})");
  EXPECT_THAT(LoadError(model().dir()), HasSubstr("do_lower_case"));
}

}  // namespace
}  // namespace vettore
