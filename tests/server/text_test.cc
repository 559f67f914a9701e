// Text in, passages out, with the real model; skipped where it is not installed.
#include "server/running_server.h"

namespace vettore {
namespace {

using testing::HasSubstr;

class Text : public RunningServer {
 protected:
  void SetUp() override {
    VETTORE_SKIP_WITHOUT_MODEL();
    options_.models_dir = RealModelsDirectory();
    Start();
  }

  void CreateTexts(bool documents) {
    v1::CreateCollectionRequest request;
    request.set_name("texts");
    request.mutable_config()->add_vectors()->mutable_model()->set_name(kRealModel);
    if (documents) request.mutable_config()->mutable_documents();
    ASSERT_TRUE(Succeeds(Create(request)));
  }

  static v1::UpsertDocumentsRequest Documents() {
    v1::UpsertDocumentsRequest request;
    request.set_collection("texts");
    const auto add = [&](const std::string& id, const std::string& text, const std::string& kind) {
      v1::Document& document = *request.add_documents();
      document.set_id(id);
      document.set_title(id);
      document.set_text(text);
      (*document.mutable_metadata()->mutable_fields())["kind"].set_text(kind);
    };
    add("volcano", "A volcano is a vent in the crust of the Earth through which lava erupts.",
        "nature");
    add("violin", "The violin is a string instrument played with a bow.", "music");
    add("bread", "Bread is baked from a dough of flour and water.", "food");
    return request;
  }
};

TEST_F(Text, ModelsAreListed) {
  v1::ListModelsResponse models;
  ASSERT_TRUE(Succeeds(Call(embeddings_, &v1::Embeddings::Stub::ListModels, {}, &models)));
  bool found = false;
  for (const v1::Model& model : models.models()) {
    if (model.name() != kRealModel) continue;
    found = true;
    EXPECT_EQ(model.dimension(), 384U);
    EXPECT_EQ(model.max_tokens(), 256U);
    EXPECT_EQ(model.pooling(), "mean");
    EXPECT_TRUE(model.normalized());
    EXPECT_THAT(model.fingerprint(), testing::SizeIs(32));
    EXPECT_EQ(model.error(), "");
  }
  EXPECT_TRUE(found);
}

TEST_F(Text, EmbedGivesUnitVectorsAndReportsTruncation) {
  v1::EmbedRequest request;
  request.set_model(kRealModel);
  request.add_texts("hello world");
  std::string text;
  for (int i = 0; i < 400; ++i) text += "word ";
  request.add_texts(text);
  v1::EmbedResponse response;
  ASSERT_TRUE(Succeeds(Call(embeddings_, &v1::Embeddings::Stub::Embed, request, &response)));
  ASSERT_EQ(response.embeddings_size(), 2);
  double length = 0;
  for (const float value : response.embeddings(0).values()) length += double{value} * value;
  EXPECT_NEAR(length, 1, 1e-5);
  EXPECT_EQ(response.embeddings(0).tokens(), 4U);
  EXPECT_FALSE(response.embeddings(0).truncated());
  EXPECT_EQ(response.embeddings(1).tokens(), 402U);
  EXPECT_TRUE(response.embeddings(1).truncated());
  request.set_truncation(v1::TRUNCATION_ERROR);
  EXPECT_THAT(Call(embeddings_, &v1::Embeddings::Stub::Embed, request, &response),
              Fails(grpc::StatusCode::INVALID_ARGUMENT, "1"));
  v1::GetStatusResponse status;
  ASSERT_TRUE(Succeeds(Call(admin_, &v1::Admin::Stub::GetStatus, {}, &status)));
  EXPECT_EQ(status.embedded_texts(), 2U);
  EXPECT_GT(status.embedded_tokens(), 100U);
  EXPECT_THAT(status.models(), testing::Contains(kRealModel));
}

TEST_F(Text, PointsAreEmbeddedFromTheirTextFieldAndFoundByAQuestion) {
  CreateTexts(false);
  v1::UpsertRequest upsert;
  upsert.set_collection("texts");
  for (const auto& [id, text] : std::vector<std::pair<uint64_t, std::string>>{
           {1, "The cat sleeps on the sofa."}, {2, "Interest rates rise again."}}) {
    v1::Point& point = *upsert.add_points();
    point.mutable_id()->set_number(id);
    (*point.mutable_payload()->mutable_fields())["text"].set_text(text);
  }
  ASSERT_TRUE(Succeeds(Upsert(upsert)));
  v1::SearchRequest search;
  search.set_collection("texts");
  search.set_text("Where is the pet resting?");
  search.set_k(1);
  v1::SearchResponse found;
  ASSERT_TRUE(Succeeds(Search(search, &found)));
  ASSERT_EQ(found.points_size(), 1);
  EXPECT_EQ(found.points(0).point().id().number(), 1U);
  EXPECT_GT(found.trace().embed_us(), 0U);
  search.set_text("  ");
  EXPECT_THAT(Search(search), Fails(grpc::StatusCode::INVALID_ARGUMENT, "white space"));
  search.set_text("");
  EXPECT_THAT(Search(search), Fails(grpc::StatusCode::INVALID_ARGUMENT, "empty"));
  search.set_text(std::string(10'000'000, 'x'));
  EXPECT_THAT(Search(search), Fails(grpc::StatusCode::INVALID_ARGUMENT, "at most 8388608"));
}

TEST_F(Text, DocumentsComeBackAsPassagesAndAsThemselves) {
  CreateTexts(true);
  v1::UpsertDocumentsResponse written;
  ASSERT_TRUE(
      Succeeds(Call(documents_, &v1::Documents::Stub::UpsertDocuments, Documents(), &written)));
  EXPECT_EQ(written.documents(), 3U);
  EXPECT_EQ(written.chunks(), 3U);
  EXPECT_GT(written.tokens(), 20U);

  v1::SearchPassagesRequest search;
  search.set_collection("texts");
  search.set_text("Which instrument has strings?");
  search.set_k(2);
  v1::SearchPassagesResponse found;
  ASSERT_TRUE(Succeeds(Call(documents_, &v1::Documents::Stub::SearchPassages, search, &found)));
  ASSERT_EQ(found.passages_size(), 2);
  EXPECT_EQ(found.passages(0).document_id(), "violin");
  EXPECT_EQ(found.passages(0).metadata().fields().at("kind").text(), "music");
  EXPECT_EQ(found.passages(0).begin(), 0U);
  EXPECT_EQ(found.passages(0).end(), found.passages(0).text().size());
  EXPECT_NE(found.trace().plan(), "");
  search.mutable_filter()->mutable_equals()->set_field("metadata.kind");
  search.mutable_filter()->mutable_equals()->mutable_value()->set_text("food");
  ASSERT_TRUE(Succeeds(Call(documents_, &v1::Documents::Stub::SearchPassages, search, &found)));
  ASSERT_EQ(found.passages_size(), 1);
  EXPECT_EQ(found.passages(0).document_id(), "bread");

  v1::GetDocumentRequest get;
  get.set_collection("texts");
  get.set_id("volcano");
  v1::GetDocumentResponse got;
  ASSERT_TRUE(Succeeds(Call(documents_, &v1::Documents::Stub::GetDocument, get, &got)));
  EXPECT_EQ(got.document().DebugString(), Documents().documents(0).DebugString());

  v1::DeleteDocumentsRequest drop;
  drop.set_collection("texts");
  drop.add_ids("volcano");
  drop.add_ids("never there");
  v1::DeleteDocumentsResponse dropped;
  ASSERT_TRUE(Succeeds(Call(documents_, &v1::Documents::Stub::DeleteDocuments, drop, &dropped)));
  EXPECT_EQ(dropped.documents(), 1U);
  EXPECT_EQ(dropped.chunks(), 1U);
  EXPECT_EQ(Call(documents_, &v1::Documents::Stub::GetDocument, get, &got).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(Text, DocumentStreamGoesOnAfterABadBatch) {
  CreateTexts(true);
  grpc::ClientContext context;
  const auto stream = documents_->UpsertDocumentsStream(&context);
  v1::UpsertDocumentsStreamResponse answer;
  ASSERT_TRUE(stream->Read(&answer));
  EXPECT_GT(answer.credits(), 0U);
  v1::UpsertDocumentsStreamRequest request;
  request.set_batch_id(7);
  *request.mutable_batch() = Documents();
  request.mutable_batch()->mutable_documents(1)->set_text("");
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&answer));
  EXPECT_EQ(answer.batch_id(), 7U);
  EXPECT_THAT(answer.error().message(), HasSubstr("documents[1].text"));
  request.set_batch_id(8);
  *request.mutable_batch() = Documents();
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&answer));
  EXPECT_EQ(answer.batch_id(), 8U);
  EXPECT_EQ(answer.response().chunks(), 3U);
  stream->WritesDone();
  EXPECT_TRUE(Succeeds(stream->Finish()));
}

TEST_F(Text, ConfigThatWasReadMayBeSentAgainUnlessItsModelChanged) {
  CreateTexts(true);
  v1::GetCollectionRequest get;
  get.set_name("texts");
  v1::GetCollectionResponse got;
  ASSERT_TRUE(Succeeds(Call(collections_, &v1::Collections::Stub::GetCollection, get, &got)));
  EXPECT_EQ(got.collection().config().vectors(0).dimension(), 384U);
  v1::CreateCollectionRequest again;
  again.set_name("again");
  *again.mutable_config() = got.collection().config();
  EXPECT_TRUE(Succeeds(Create(again)));
  again.set_name("other");
  again.mutable_config()->mutable_vectors(0)->mutable_model()->set_fingerprint("0123");
  EXPECT_THAT(Create(again), Fails(grpc::StatusCode::FAILED_PRECONDITION, "fingerprint"));
}

}  // namespace
}  // namespace vettore
