// Every refusal has its code and says where, what was wanted and what was got; nothing is half
// applied.
#include <cmath>
#include <limits>

#include "server/running_server.h"

namespace vettore {
namespace {

constexpr auto kInvalid = grpc::StatusCode::INVALID_ARGUMENT;

class BadInput : public RunningServer {
 protected:
  BadInput() {
    Start();
    CreateThings();
    v1::CreateCollectionRequest cosine;
    cosine.set_name("angles");
    cosine.mutable_config()->add_vectors()->set_dimension(4);
    EXPECT_TRUE(Succeeds(Create(cosine)));
  }
  ~BadInput() override { EXPECT_EQ(CountThings(), 0U) << "something was half applied"; }

  // A good point and then `point`.
  grpc::Status UpsertPoint(const v1::Point& point, const std::string& collection = "things") {
    v1::UpsertRequest request;
    request.set_collection(collection);
    *request.add_points() = MakePoint(1, {1, 1, 1, 1});
    *request.add_points() = point;
    return Upsert(request);
  }
};

TEST_F(BadInput, WrongDimension) {
  EXPECT_THAT(UpsertPoint(MakePoint(2, {1, 2, 3})),
              Fails(kInvalid, "dimension 3, collection expects 4"));
  EXPECT_THAT(UpsertPoint(MakePoint(2, {1, 2, 3})), Fails(kInvalid, "points[1]"));
  EXPECT_THAT(Search(SearchThings({1, 2, 3, 4, 5}, 1)),
              Fails(kInvalid, "dimension 5, collection expects 4"));
  EXPECT_THAT(Search(SearchThings({}, 1)), Fails(kInvalid, "dimension 0"));
}

TEST_F(BadInput, NanAndInfinity) {
  EXPECT_THAT(UpsertPoint(MakePoint(2, {1, std::nanf(""), 3, 4})), Fails(kInvalid, "finite"));
  EXPECT_THAT(UpsertPoint(MakePoint(2, {1, 2, 3, std::numeric_limits<float>::infinity()})),
              Fails(kInvalid, "finite"));
  EXPECT_THAT(Search(SearchThings({1, std::nanf(""), 3, 4}, 1)), Fails(kInvalid, "finite"));
  v1::SearchRequest search = SearchThings({1, 2, 3, 4}, 1);
  search.set_score_threshold(std::nanf(""));
  EXPECT_THAT(Search(search), Fails(kInvalid, "score_threshold"));
}

TEST_F(BadInput, ZeroVectorUnderCosine) {
  EXPECT_THAT(UpsertPoint(MakePoint(2, {0, 0, 0, 0}), "angles"), Fails(kInvalid, "length is zero"));
  v1::SearchRequest search = SearchThings({0, 0, 0, 0}, 1);
  search.set_collection("angles");
  EXPECT_THAT(Search(search), Fails(kInvalid, "length is zero"));
}

TEST_F(BadInput, UnknownNames) {
  EXPECT_THAT(UpsertPoint(MakePoint(2, {1, 2, 3, 4}), "thongs"),
              Fails(grpc::StatusCode::NOT_FOUND, "things"));
  EXPECT_THAT(UpsertPoint(MakePoint(2, {1, 2, 3, 4}), "no/name"), Fails(kInvalid, "collection: "));
  v1::Point point = MakePoint(2, {1, 2, 3, 4});
  point.mutable_vectors(0)->set_name("title");
  EXPECT_THAT(UpsertPoint(point), Fails(kInvalid, "vector 'title' does not exist"));
  v1::SearchRequest search = SearchThings({1, 2, 3, 4}, 1);
  search.set_vector_name("title");
  EXPECT_THAT(Search(search), Fails(kInvalid, "vector 'title' does not exist"));
  search.clear_vector_name();
  search.mutable_selection()->add_vector_names("title");
  EXPECT_THAT(Search(search), Fails(kInvalid, "selection.vector_names"));
}

TEST_F(BadInput, UnknownFieldMatchesNothing) {
  v1::SearchRequest search = SearchThings({1, 2, 3, 4}, 1);
  *search.mutable_filter() = Equals("no.such.field", 1);
  v1::SearchResponse response;
  ASSERT_TRUE(Succeeds(Search(search, &response)));
  EXPECT_THAT(response.points(), testing::IsEmpty());
  *search.mutable_filter() = Equals("", 1);
  EXPECT_THAT(Search(search), Fails(kInvalid, "filter: "));
}

TEST_F(BadInput, IdOf300Bytes) {
  v1::Point point = MakePoint(2, {1, 2, 3, 4});
  point.mutable_id()->set_text(std::string(300, 'x'));
  EXPECT_THAT(UpsertPoint(point), Fails(kInvalid, "points[1].id: "));
  EXPECT_THAT(UpsertPoint(point), Fails(kInvalid, "300"));
  point.clear_id();
  EXPECT_THAT(UpsertPoint(point), Fails(kInvalid, "points[1].id: no id"));
}

TEST_F(BadInput, PayloadOf2MB) {
  v1::Point point = MakePoint(2, {1, 2, 3, 4});
  (*point.mutable_payload()->mutable_fields())["text"].set_text(std::string(2 << 20, 'x'));
  EXPECT_THAT(UpsertPoint(point), Fails(kInvalid, "points[1].payload"));
}

TEST_F(BadInput, FilterOf100Levels) {
  v1::SearchRequest search = SearchThings({1, 2, 3, 4}, 1);
  v1::Filter* at = search.mutable_filter();
  for (int i = 0; i < 100; ++i) at = at->mutable_all()->add_filters();
  at->mutable_exists()->set_field("x");
  EXPECT_THAT(Search(search), Fails(kInvalid, "filter: nested deeper than 16"));
}

TEST_F(BadInput, NestingBeyondWhatAMessageMayHave) {
  v1::SearchRequest search = SearchThings({1, 2, 3, 4}, 1);
  v1::Filter* at = search.mutable_filter();
  for (int i = 0; i < 2'000; ++i) at = at->mutable_negate();
  EXPECT_THAT(Search(search), Fails(kInvalid, "nested deeper"));
}

TEST_F(BadInput, KOutOfRange) {
  EXPECT_THAT(Search(SearchThings({1, 2, 3, 4}, 0)), Fails(kInvalid, "got 0"));
  EXPECT_THAT(Search(SearchThings({1, 2, 3, 4}, uint64_t{1} << 31)), Fails(kInvalid, "2147483648"));
  EXPECT_THAT(Search(SearchThings({1, 2, 3, 4}, 10'001)), Fails(kInvalid, "at most 10000"));
  v1::SearchRequest search = SearchThings({1, 2, 3, 4}, 10'000);
  search.set_offset(std::numeric_limits<uint64_t>::max() - 9'999);
  EXPECT_THAT(Search(search), Fails(kInvalid, "offset"));
  search = SearchThings({1, 2, 3, 4}, 1);
  search.set_ef_search(4'097);
  EXPECT_THAT(Search(search), Fails(kInvalid, "ef_search: 1 to 4096, got 4097"));
  search.clear_ef_search();
  search.set_nprobe(65'537);
  EXPECT_THAT(Search(search), Fails(kInvalid, "nprobe: 1 to 65536, got 65537"));
}

TEST_F(BadInput, BatchOf20000) {
  EXPECT_THAT(UpsertThings(1, 20'000),
              Fails(kInvalid, "points: a batch has 1 to 10000 points, got 20000"));
  EXPECT_THAT(UpsertThings(1, 0), Fails(kInvalid, "got 0"));
  v1::GetRequest get;
  get.set_collection("things");
  for (int i = 0; i < 20'000; ++i) get.add_ids()->set_number(1);
  v1::GetResponse response;
  EXPECT_THAT(Call(points_, &v1::Points::Stub::Get, get, &response),
              Fails(kInvalid, "ids: at most 10000, got 20000"));
}

TEST_F(BadInput, MessageOverTheLimit) {
  v1::Point point = MakePoint(2, {1, 2, 3, 4});
  (*point.mutable_payload()->mutable_fields())["text"].set_text(std::string(33 << 20, 'x'));
  EXPECT_THAT(UpsertPoint(point), Fails(grpc::StatusCode::RESOURCE_EXHAUSTED, "larger than max"));
}

TEST_F(BadInput, QueryThatIsNotSet) {
  v1::SearchRequest search = SearchThings({}, 1);
  search.clear_query();
  EXPECT_THAT(Search(search), Fails(kInvalid, "query: no query; set vector or text"));
}

TEST_F(BadInput, TextQueryOnAVectorWithoutAModel) {
  v1::SearchRequest search = SearchThings({}, 1);
  search.set_text("what is it?");
  EXPECT_THAT(Search(search), Fails(grpc::StatusCode::FAILED_PRECONDITION, "model"));
}

TEST_F(BadInput, CollectionConfigs) {
  v1::CreateCollectionRequest request;
  request.set_name("bad name");
  EXPECT_THAT(Create(request), Fails(kInvalid, "name: "));
  request.set_name("bad");
  v1::VectorConfig& vector = *request.mutable_config()->add_vectors();
  EXPECT_THAT(Create(request), Fails(kInvalid, "dimension"));
  vector.set_dimension(70'000);
  EXPECT_THAT(Create(request), Fails(kInvalid, "65536"));
  vector.set_dimension(4);
  vector.mutable_hnsw()->set_m(3);
  EXPECT_THAT(Create(request), Fails(kInvalid, "4 to 128"));
  vector.mutable_ivf()->set_nlist(65'537);
  EXPECT_THAT(Create(request), Fails(kInvalid, "ivf.nlist: wanted 0 to 65536, got 65537"));
  vector.mutable_ivf()->set_nlist(10);
  vector.mutable_ivf()->set_encoding(v1::IVF_ENCODING_PQ4);
  vector.mutable_ivf()->set_pq_m(3);
  EXPECT_THAT(Create(request), Fails(kInvalid, "(as 1, 2, 4), got 3"));
  vector.mutable_faiss();
  EXPECT_THAT(Create(request), Fails(kInvalid, "faiss.factory"));
  vector.mutable_faiss()->set_factory("IVF100000000,Flat");
  EXPECT_THAT(Create(request), Fails(kInvalid, "1 to 65536 lists, got 100000000"));
  vector.mutable_faiss()->set_factory("Flat");
  vector.mutable_faiss()->set_search_parameters("nprobe=4");  // Only FAISS knows that it has none.
  EXPECT_THAT(Create(request), Fails(kInvalid, "vector '': faiss: 'Flat' with 'nprobe=4'"));
  vector.mutable_hnsw()->set_m(16);
  *request.mutable_config()->add_vectors() = vector;
  EXPECT_THAT(Create(request), Fails(kInvalid, "vector"));
  request.mutable_config()->mutable_vectors()->RemoveLast();
  vector.mutable_model()->set_name("no-such-model");
  EXPECT_THAT(Create(request), Fails(grpc::StatusCode::NOT_FOUND, "no-such-model"));
  v1::GetCollectionRequest get;
  get.set_name("bad");
  v1::GetCollectionResponse response;
  EXPECT_THAT(Call(collections_, &v1::Collections::Stub::GetCollection, get, &response),
              Fails(grpc::StatusCode::NOT_FOUND, "bad"));
}

TEST_F(BadInput, DocumentsForACollectionThatTakesNone) {
  v1::UpsertDocumentsRequest request;
  request.set_collection("things");
  v1::Document& document = *request.add_documents();
  document.set_id("d");
  document.set_text("text");
  v1::UpsertDocumentsResponse response;
  EXPECT_THAT(Call(documents_, &v1::Documents::Stub::UpsertDocuments, request, &response),
              Fails(grpc::StatusCode::FAILED_PRECONDITION, "things"));
}

TEST_F(BadInput, EmbedWithoutAModel) {
  v1::EmbedRequest request;
  v1::EmbedResponse response;
  EXPECT_THAT(Call(embeddings_, &v1::Embeddings::Stub::Embed, request, &response),
              Fails(kInvalid, "texts: 1 to 10000"));
  request.add_texts("text");
  EXPECT_THAT(Call(embeddings_, &v1::Embeddings::Stub::Embed, request, &response),
              Fails(kInvalid, "exactly one model"));
  request.set_model("../secret");
  EXPECT_THAT(Call(embeddings_, &v1::Embeddings::Stub::Embed, request, &response),
              Fails(kInvalid, "model: "));
}

TEST_F(BadInput, ReplyThatWouldNotFit) {
  Start([](ServerOptions& options) { options.max_message_bytes = 1 << 20; });
  v1::CreateCollectionRequest create;
  create.set_name("wide");
  create.mutable_config()->add_vectors()->set_dimension(20'000);
  create.mutable_config()->mutable_vectors(0)->mutable_flat();
  ASSERT_TRUE(Succeeds(Create(create)));
  for (uint64_t id = 0; id < 20; ++id) {
    v1::UpsertRequest upsert;
    upsert.set_collection("wide");
    *upsert.add_points() = MakePoint(id, std::vector<float>(20'000, 1));
    ASSERT_TRUE(Succeeds(Upsert(upsert)));
  }
  v1::ScrollRequest scroll;
  scroll.set_collection("wide");
  scroll.mutable_selection()->set_vectors(true);
  v1::ScrollResponse page;
  EXPECT_THAT(Call(points_, &v1::Points::Stub::Scroll, scroll, &page),
              Fails(grpc::StatusCode::RESOURCE_EXHAUSTED,
                    "selection.vectors: 20 points with 20000 floats"));
  scroll.set_limit(10);
  EXPECT_TRUE(Succeeds(Call(points_, &v1::Points::Stub::Scroll, scroll, &page)));
}

TEST_F(BadInput, BytesThatAreNoMessage) {
  std::string reply;
  EXPECT_THAT(CallRaw("/vettore.v1.Search/Search", "\xff\xff\xff", &reply),
              Fails(kInvalid, "no valid vettore.v1.SearchRequest"));
}

TEST_F(BadInput, BytesThatUnfoldToGigabytes) {
  std::string empty_points;
  for (int i = 0; i < 8'000'000; ++i) empty_points += std::string("\x12\x00", 2);
  std::string reply;
  EXPECT_THAT(CallRaw("/vettore.v1.Points/Upsert", empty_points, &reply),
              Fails(grpc::StatusCode::RESOURCE_EXHAUSTED, "unfolds to more than"));
  // Payloads of many small values, the most that honest requests unfold, are taken.
  v1::CreateCollectionRequest create;
  create.set_name("numbers");
  create.mutable_config()->add_vectors()->set_dimension(4);
  ASSERT_TRUE(Succeeds(Create(create)));
  v1::UpsertRequest upsert;
  upsert.set_collection("numbers");
  for (uint64_t id = 0; id < 200; ++id) {
    v1::Point& point = *upsert.add_points() = MakePoint(id, {1, 2, 3, 4});
    for (int field = 0; field < 300; ++field) {
      v1::Value& list = (*point.mutable_payload()->mutable_fields())[StrCat("f", field)];
      for (int i = 0; i < 20; ++i) list.mutable_list()->add_values()->set_integer(i);
    }
  }
  EXPECT_TRUE(Succeeds(Upsert(upsert)));
}

TEST_F(BadInput, LongTextInAMessageIsShortened) {
  v1::SearchRequest search = SearchThings({1, 2, 3, 4}, 1);
  search.set_collection(std::string(100'000, '/'));
  const grpc::Status status = Search(search);
  EXPECT_EQ(status.error_code(), kInvalid);
  EXPECT_LT(status.error_message().size(), 3'000U);
}

}  // namespace
}  // namespace vettore
