#include "documents/embedding_pipeline.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "documents/document_fixture.h"
#include "gmock/gmock.h"
#include "types/limits.h"

namespace vettore {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::vettore::testing::ModelVector;
using ::vettore::testing::PlainVector;
using ::vettore::testing::Point;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

class EmbeddingPipelineTest : public testing::DocumentStoreTest {
 protected:
  absl::Status Fill(std::vector<PointWrite>& points, const CollectionConfig& config) const {
    return store_->FillVectors(config, points, CancelToken());
  }
  const CollectionConfig& config() const { return (*database_->Get(docs_))->config(); }
};

float Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  const auto dot = [](const auto& x, const auto& y) {
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  };
  return static_cast<float>(dot(a, b) / std::sqrt(dot(a, a) * dot(b, b)));
}

TEST_F(EmbeddingPipelineTest, ResolveFillsInWhatTheModelKnows) {
  CollectionConfig wanted;
  wanted.vectors.push_back(ModelVector());
  wanted.vectors[0].model->text_field = "";
  wanted.documents = ChunkingConfig();
  ASSERT_TRUE(store_->Resolve(wanted).ok());
  EXPECT_EQ(wanted.vectors[0].dimension, 384u);
  EXPECT_FALSE(wanted.vectors[0].model->fingerprint.empty());
  EXPECT_EQ(wanted.vectors[0].model->text_field, "text");
  EXPECT_EQ(wanted.documents->max_tokens, 256u);
  EXPECT_TRUE(ValidateCollectionConfig(wanted).ok());
}

TEST_F(EmbeddingPipelineTest, ResolveRefusesWhatDoesNotFitTheModel) {
  const auto resolve = [&](CollectionConfig wanted) { return store_->Resolve(wanted); };
  CollectionConfig wanted;
  wanted.vectors.push_back(ModelVector());
  wanted.vectors[0].dimension = 512;
  EXPECT_EQ(Message(resolve(wanted)),
            "vector '': dimension 512, model 'all-MiniLM-L6-v2' gives 384");

  wanted = Config();
  wanted.vectors[0].model->name = "no-such-model";
  EXPECT_EQ(resolve(wanted).code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(resolve(wanted)), HasSubstr("no-such-model"));
  wanted.vectors[0].model->name = "../models";
  EXPECT_EQ(resolve(wanted).code(), absl::StatusCode::kInvalidArgument);

  wanted = Config();
  wanted.documents->max_tokens = 1'000;
  EXPECT_THAT(Message(resolve(wanted)), AllOf(HasSubstr("1000"), HasSubstr("256")));
  wanted.documents = ChunkingConfig{.max_tokens = 9, .overlap_tokens = 0};
  EXPECT_EQ(resolve(wanted).code(), absl::StatusCode::kInvalidArgument);
  wanted.documents = ChunkingConfig{.max_tokens = 64, .overlap_tokens = 32};
  EXPECT_THAT(Message(resolve(wanted)), HasSubstr("overlap_tokens"));

  wanted = Config();
  wanted.vectors[0].model.reset();
  wanted.vectors[0].dimension = 4;
  EXPECT_EQ(resolve(wanted).code(), absl::StatusCode::kInvalidArgument);
  wanted = Config();
  wanted.vectors.push_back(ModelVector());
  wanted.vectors[1].name = "second";
  EXPECT_THAT(Message(resolve(wanted)), HasSubstr("second"));
  wanted.documents.reset();
  EXPECT_TRUE(resolve(wanted).ok());
}

TEST_F(EmbeddingPipelineTest, AnotherFingerprintIsRefused) {
  CollectionConfig other = config();
  other.vectors[0].model->fingerprint = "0123456789abcdef0123456789abcdef";
  const auto refused = store_->ModelOf(other.vectors[0]);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(refused.status()), AllOf(HasSubstr("0123456789abcdef"),
                                               HasSubstr(config().vectors[0].model->fingerprint)));
  EXPECT_EQ(store_->EmbedQuery(other, "", "text", CancelToken()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  std::vector<PointWrite> points = {Point(1, {{"text", "some"}})};
  EXPECT_EQ(Fill(points, other).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(points[0].vectors.empty());

  // A collection that was stored with another fingerprint, as after the model's files were
  // replaced.
  const Name name = testing::NameOrDie("other");
  ASSERT_TRUE(database_->Create(name, other).ok());
  EXPECT_EQ(store_->Upsert(name, {{.id = "d", .text = "x"}}, {}, CancelToken()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store_->Search(name, {.text = "x"}, ReadOptions(), CancelToken()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(EmbeddingPipelineTest, FillVectorsEmbedsWhatIsMissing) {
  const std::vector<float> own(384, 0.5f);
  std::vector<PointWrite> points = {Point(1, {{"text", "A cat sleeps on the sofa."}}),
                                    Point(2, {{"text", "ignored"}}), Point(3, {{"other", 1}}),
                                    Point(4, {{"text", nullptr}}),
                                    Point(5, {{"text", "The train is late."}})};
  points[1].vectors.push_back({.name = "", .values = own});
  ASSERT_TRUE(Fill(points, config()).ok());
  ASSERT_EQ(points[0].vectors.size(), 1u);
  EXPECT_EQ(points[0].vectors[0].values.size(), 384u);
  ASSERT_EQ(points[1].vectors.size(), 1u);
  EXPECT_EQ(points[1].vectors[0].values, own);
  EXPECT_TRUE(points[2].vectors.empty());
  EXPECT_TRUE(points[3].vectors.empty());
  ASSERT_EQ(points[4].vectors.size(), 1u);
  const auto query = store_->EmbedQuery(config(), "", "a kitten is taking a nap", CancelToken());
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_GT(Cosine(query->values, points[0].vectors[0].values),
            Cosine(query->values, points[4].vectors[0].values) + 0.2f);
  EXPECT_GT(query->tokens, 5u);
  EXPECT_FALSE(query->truncated);
}

TEST_F(EmbeddingPipelineTest, FillVectorsReadsTheFieldOfEachVector) {
  CollectionConfig two;
  two.vectors = {ModelVector(), ModelVector()};
  two.vectors[0].model->text_field = "title";
  two.vectors[1].model->text_field = "body.text";
  two.vectors[1].name = "body";
  ASSERT_TRUE(store_->Resolve(two).ok());
  std::vector<PointWrite> points = {
      Point(1, {{"title", "Cats"}, {"body", {{"text", "They purr."}}}}),
      Point(2, {{"title", "They purr."}})};
  ASSERT_TRUE(Fill(points, two).ok());
  ASSERT_EQ(points[0].vectors.size(), 2u);
  EXPECT_EQ(points[0].vectors[0].name, "");
  EXPECT_EQ(points[0].vectors[1].name, "body");
  ASSERT_EQ(points[1].vectors.size(), 1u);
  EXPECT_GT(Cosine(points[0].vectors[1].values, points[1].vectors[0].values), 0.999f);
}

TEST_F(EmbeddingPipelineTest, BadTextsAreRefusedByNameBeforeAnythingIsEmbedded) {
  const auto refusal = [&](Json payload) {
    std::vector<PointWrite> points = {Point(1, {{"text", "good"}}), Point(2, std::move(payload))};
    const absl::Status status = Fill(points, config());
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_TRUE(points[0].vectors.empty());
    return Message(status);
  };
  EXPECT_THAT(refusal({{"text", ""}}), StartsWith("points[1].payload.text: "));
  EXPECT_THAT(refusal({{"text", " \n"}}), StartsWith("points[1].payload.text: "));
  EXPECT_THAT(refusal({{"text", 5}}), StartsWith("points[1].payload.text: "));
  EXPECT_THAT(refusal({{"text", "\xFF"}}), StartsWith("points[1].payload.text: "));
  EXPECT_THAT(refusal({{"text", std::string(10 << 20, 'x')}}),
              AllOf(StartsWith("points[1].payload.text: "), HasSubstr("10485760")));
  std::vector<PointWrite> crowd(limits::kBatchPoints + 1);
  EXPECT_EQ(Fill(crowd, config()).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(EmbeddingPipelineTest, QueriesNameTheirVector) {
  EXPECT_EQ(store_->EmbedQuery(config(), "absent", "text", CancelToken()).status().code(),
            absl::StatusCode::kInvalidArgument);
  CollectionConfig plain;
  plain.vectors.push_back(PlainVector(4));
  const auto refused = store_->EmbedQuery(plain, "", "text", CancelToken());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace vettore
