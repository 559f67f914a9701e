// The real model on real data. Needs VETTORE_DATASETS_DIR (the data sets) and VETTORE_MODELS_DIR
// (all-MiniLM-L6-v2); skips what is not there.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "embed/embedder.h"
#include "embed/tokenizer.h"
#include "support/real_model.h"
#include "support/zstd_file.h"

namespace vettore {
namespace {

std::filesystem::path ModelDir() { return RealModelsDirectory() / kRealModel; }

class QualityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto data = DirectoryFromEnvironment("VETTORE_DATASETS_DIR");
    if (!data.has_value())
      GTEST_SKIP() << "set VETTORE_DATASETS_DIR to the directory of the data sets";
    VETTORE_SKIP_WITHOUT_MODEL();
    data_ = *data;
  }

  std::string Read(const char* file) const {
    auto text = ReadZstdFile(data_ / file);
    EXPECT_TRUE(text.ok()) << text.status();
    return text.ok() ? *std::move(text) : std::string();
  }
  static std::unique_ptr<Embedder> LoadModel() {
    auto loaded = Embedder::Load(ModelDir());
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    return loaded.ok() ? *std::move(loaded) : nullptr;
  }

 private:
  std::filesystem::path data_;
};

// Average ranks of ties.
std::vector<double> Ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t i = 0; i < order.size();) {
    size_t end = i;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    for (size_t j = i; j < end; ++j) ranks[order[j]] = static_cast<double>(i + end - 1) / 2;
    i = end;
  }
  return ranks;
}

double Spearman(const std::vector<double>& a, const std::vector<double>& b) {
  const std::vector<double> x = Ranks(a);
  const std::vector<double> y = Ranks(b);
  const double mean = static_cast<double>(x.size() - 1) / 2;
  double xy = 0;
  double xx = 0;
  double yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xy / std::sqrt(xx * yy);
}

double Cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

TEST_F(QualityTest, AllGoldenQueriesTokeniseAsPublished) {
  const auto tokenizer = Tokenizer::Load(ModelDir());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const auto cases = ParseJsonLines(Read("golden-tokenizer/wordpiece_cases.jsonl.zst"));
  ASSERT_TRUE(cases.ok()) << cases.status();
  ASSERT_EQ(cases->size(), 47'082u);
  size_t equal = 0;
  for (const Json& c : *cases) {
    const auto& text = c["text"].get_ref<const std::string&>();
    std::vector<uint32_t> ids;
    for (const Token& token : (*tokenizer)->Tokenize(text, std::numeric_limits<size_t>::max()))
      ids.push_back(token.id);
    equal += ids == c["ids"].get<std::vector<uint32_t>>() ? 1 : 0;
  }
  EXPECT_EQ(equal, cases->size());
}

TEST_F(QualityTest, GoldenDocumentsEmbedAsPublished) {
  const auto embedder = LoadModel();
  ASSERT_NE(embedder, nullptr);
  const auto documents = ParseJsonLines(Read("golden-embeddings/all-MiniLM-L6-v2.jsonl.zst"));
  const auto golden = ParseNpy(Read("golden-embeddings/all-MiniLM-L6-v2.f4.npy.zst"));
  ASSERT_TRUE(documents.ok() && golden.ok()) << documents.status() << golden.status();
  ASSERT_EQ(documents->size(), golden->rows);
  std::vector<std::string_view> texts;
  std::vector<size_t> rows;
  for (size_t i = 0; i < documents->size(); ++i) {
    const std::string_view text = (*documents)[i]["text"].get_ref<const std::string&>();
    // The golden vectors were made with a limit of 512 tokens, ours is 256.
    if (embedder->tokenizer().Tokenize(text, 255).size() == 255) continue;
    texts.push_back(text);
    rows.push_back(i);
  }
  ASSERT_GT(texts.size(), 30u);
  const auto result = embedder->Embed(texts, {.truncation = Truncation::kError}, CancelToken());
  ASSERT_TRUE(result.ok()) << result.status();
  const size_t dim = golden->columns;
  double least = 1;
  for (size_t i = 0; i < rows.size(); ++i) {
    const double cosine = Cosine(std::span(result->vectors).subspan(i * dim, dim),
                                 std::span(golden->values).subspan(rows[i] * dim, dim));
    least = std::min(least, cosine);
    EXPECT_GE(cosine, 0.9995) << "document " << rows[i];
  }
  RecordProperty("documents", static_cast<int>(rows.size()));
  std::printf("%zu documents under 256 tokens, least cosine %.7f\n", rows.size(), least);
}

TEST_F(QualityTest, StsEnglishTestReachesThePublishedCorrelation) {
  const auto embedder = LoadModel();
  ASSERT_NE(embedder, nullptr);
  const std::string archive = Read("sts-b/stsb.tar.zst");
  const auto tsv = FindInTar(archive, "en-test.tsv");
  ASSERT_TRUE(tsv.ok()) << tsv.status();
  std::vector<double> scores;
  std::vector<std::string_view> texts;
  for (std::string_view line : Lines(*tsv)) {
    const size_t first = line.find('\t');
    const size_t second = line.find('\t', first + 1);
    ASSERT_NE(second, std::string_view::npos) << line;
    scores.push_back(std::atof(std::string(line.substr(0, first)).c_str()));
    texts.push_back(line.substr(first + 1, second - first - 1));
    texts.push_back(line.substr(second + 1));
  }
  ASSERT_EQ(scores.size(), 1379u);
  const auto result = embedder->Embed(texts, {}, CancelToken());
  ASSERT_TRUE(result.ok()) << result.status();
  const size_t dim = embedder->info().dimension;
  std::vector<double> cosines;
  for (size_t i = 0; i < scores.size(); ++i) {
    cosines.push_back(Cosine(std::span(result->vectors).subspan(2 * i * dim, dim),
                             std::span(result->vectors).subspan((2 * i + 1) * dim, dim)));
  }
  const double spearman = Spearman(scores, cosines);
  std::printf("STS-B English test: Spearman %.4f\n", spearman);
  EXPECT_NEAR(spearman, 0.820, 0.002);
}

// Vectors must not depend on their neighbours; how nearly they do not is printed.
TEST_F(QualityTest, BatchCompositionChangesNothingThatMatters) {
  const auto embedder = LoadModel();
  ASSERT_NE(embedder, nullptr);
  const auto cases = ParseJsonLines(Read("golden-tokenizer/wordpiece_cases.jsonl.zst"));
  ASSERT_TRUE(cases.ok());
  std::vector<std::string_view> texts;
  for (size_t i = 0; i < 200; ++i)
    texts.push_back((*cases)[i * 200]["text"].get_ref<const std::string&>());
  const auto together = embedder->Embed(texts, {}, CancelToken());
  ASSERT_TRUE(together.ok()) << together.status();
  const size_t dim = embedder->info().dimension;
  float largest = 0;
  size_t same = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto alone = embedder->Embed({&texts[i], 1}, {}, CancelToken());
    float difference = 0;
    for (size_t j = 0; j < dim; ++j) {
      difference =
          std::max(difference, std::abs(alone->vectors[j] - together->vectors[i * dim + j]));
    }
    same += difference == 0 ? 1 : 0;
    largest = std::max(largest, difference);
  }
  std::printf("%zu of %zu texts bit-equal alone and in a batch, largest difference %.2g\n", same,
              texts.size(), static_cast<double>(largest));
  EXPECT_LT(largest, 2e-6f);
}

}  // namespace
}  // namespace vettore
