// Every rpc that needs no model, through a real socket.
#include <limits>

#include "server/running_server.h"

namespace vettore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Rpc : public RunningServer {
 protected:
  Rpc() {
    Start();
    CreateThings();
  }

  std::vector<uint64_t> IdsOf(const v1::SearchResponse& response) {
    std::vector<uint64_t> ids;
    for (const v1::ScoredPoint& point : response.points())
      ids.push_back(point.point().id().number());
    return ids;
  }
};

TEST_F(Rpc, CollectionIsDescribedAsItWasCreated) {
  v1::GetCollectionRequest get;
  get.set_name("things");
  v1::GetCollectionResponse response;
  ASSERT_TRUE(Succeeds(Call(collections_, &v1::Collections::Stub::GetCollection, get, &response)));
  EXPECT_EQ(response.collection().name(), "things");
  EXPECT_EQ(response.collection().points(), 0U);
  EXPECT_GT(response.collection().created_unix_ms(), 1'600'000'000'000);
  const v1::VectorConfig& vector = response.collection().config().vectors(0);
  EXPECT_EQ(vector.dimension(), 4U);
  EXPECT_EQ(vector.metric(), v1::METRIC_L2);
  EXPECT_EQ(vector.hnsw().m(), 16U);
  EXPECT_EQ(vector.hnsw().ef_construction(), 128U);
  EXPECT_EQ(vector.hnsw().ef_search(), 128U);
}

TEST_F(Rpc, CollectionOfATakenNameIsRefused) {
  v1::CreateCollectionRequest request;
  request.set_name("things");
  EXPECT_THAT(Create(request), Fails(grpc::StatusCode::ALREADY_EXISTS, "things"));
}

TEST_F(Rpc, CollectionsAreListedAndDeleted) {
  v1::CreateCollectionRequest create;
  create.set_name("another");
  create.mutable_config()->add_vectors()->set_dimension(2);
  ASSERT_TRUE(Succeeds(Create(create)));
  v1::ListCollectionsResponse list;
  ASSERT_TRUE(Succeeds(Call(collections_, &v1::Collections::Stub::ListCollections, {}, &list)));
  ASSERT_THAT(list.collections(), SizeIs(2));
  EXPECT_EQ(list.collections(0).name(), "another");
  EXPECT_EQ(list.collections(0).config().vectors(0).metric(), v1::METRIC_COSINE);

  v1::DeleteCollectionRequest drop;
  drop.set_name("another");
  v1::DeleteCollectionResponse dropped;
  ASSERT_TRUE(
      Succeeds(Call(collections_, &v1::Collections::Stub::DeleteCollection, drop, &dropped)));
  EXPECT_THAT(Call(collections_, &v1::Collections::Stub::DeleteCollection, drop, &dropped),
              Fails(grpc::StatusCode::NOT_FOUND, "another"));
}

TEST_F(Rpc, AliasStandsForItsCollection) {
  ASSERT_TRUE(Succeeds(UpsertThings(1, 3)));
  v1::SetAliasRequest set;
  set.set_alias("current");
  set.set_collection("things");
  v1::SetAliasResponse was_set;
  ASSERT_TRUE(Succeeds(Call(collections_, &v1::Collections::Stub::SetAlias, set, &was_set)));
  v1::ListAliasesResponse list;
  ASSERT_TRUE(Succeeds(Call(collections_, &v1::Collections::Stub::ListAliases, {}, &list)));
  ASSERT_THAT(list.aliases(), SizeIs(1));
  EXPECT_EQ(list.aliases(0).collection(), "things");

  v1::SearchRequest search = SearchThings({1, 0, 0, 0}, 1);
  search.set_collection("current");
  v1::SearchResponse found;
  ASSERT_TRUE(Succeeds(Search(search, &found)));
  EXPECT_THAT(IdsOf(found), ElementsAre(1));

  v1::DeleteAliasRequest drop;
  drop.set_alias("current");
  v1::DeleteAliasResponse dropped;
  ASSERT_TRUE(Succeeds(Call(collections_, &v1::Collections::Stub::DeleteAlias, drop, &dropped)));
  EXPECT_THAT(Search(search), Fails(grpc::StatusCode::NOT_FOUND, "current"));
}

TEST_F(Rpc, UpsertAnswersWithPositionAndDistinctIds) {
  v1::UpsertRequest request = ThingsBatch(1, 2);
  *request.add_points() = MakePoint(1, {7, 7, 7, 7});
  v1::UpsertResponse response;
  ASSERT_TRUE(Succeeds(Call(points_, &v1::Points::Stub::Upsert, request, &response)));
  EXPECT_EQ(response.upserted(), 2U);
  EXPECT_FALSE(response.duplicate());
  const uint64_t seq = response.position().seq();
  ASSERT_TRUE(Succeeds(Call(points_, &v1::Points::Stub::Upsert, request, &response)));
  EXPECT_EQ(response.position().seq(), seq + 1);
}

TEST_F(Rpc, ProducerSequenceMakesARetryIdempotent) {
  v1::UpsertRequest request = ThingsBatch(1, 2);
  request.mutable_options()->mutable_producer()->set_id("p");
  request.mutable_options()->mutable_producer()->set_seq(1);
  v1::UpsertResponse first;
  ASSERT_TRUE(Succeeds(Call(points_, &v1::Points::Stub::Upsert, request, &first)));
  v1::UpsertResponse second;
  ASSERT_TRUE(Succeeds(Call(points_, &v1::Points::Stub::Upsert, request, &second)));
  EXPECT_TRUE(second.duplicate());
  EXPECT_EQ(second.position().seq(), first.position().seq());
}

TEST_F(Rpc, GetReturnsPointsInTheOrderAskedWithWhatIsSelected) {
  v1::UpsertRequest upsert = ThingsBatch(1, 3);
  v1::Point& named = *upsert.add_points();
  named.mutable_id()->set_text("vier");
  (*named.mutable_payload()->mutable_fields())["big"].set_integer(
      std::numeric_limits<int64_t>::max());
  ASSERT_TRUE(Succeeds(Upsert(upsert)));

  v1::GetRequest get;
  get.set_collection("things");
  get.add_ids()->set_text("vier");
  get.add_ids()->set_number(99);
  get.add_ids()->set_number(2);
  get.mutable_selection()->set_payload(true);
  get.mutable_selection()->set_vectors(true);
  v1::GetResponse response;
  ASSERT_TRUE(Succeeds(Call(points_, &v1::Points::Stub::Get, get, &response)));
  ASSERT_THAT(response.points(), SizeIs(2));
  EXPECT_EQ(response.points(0).id().text(), "vier");
  EXPECT_EQ(response.points(0).payload().fields().at("big").integer(),
            std::numeric_limits<int64_t>::max());
  EXPECT_THAT(response.points(0).vectors(), IsEmpty());
  EXPECT_THAT(response.points(1).vectors(0).values(), ElementsAre(2, 0, 0, 0));
  EXPECT_EQ(response.points(1).payload().fields().at("parity").text(), "even");
  EXPECT_EQ(response.points(1).version(), 1U);

  get.mutable_selection()->Clear();
  get.mutable_selection()->add_payload_fields("n");
  ASSERT_TRUE(Succeeds(Call(points_, &v1::Points::Stub::Get, get, &response)));
  EXPECT_EQ(response.points(1).payload().fields_size(), 1);
  EXPECT_THAT(response.points(1).vectors(), IsEmpty());
}

TEST_F(Rpc, DeleteTakesIdsAndFilter) {
  ASSERT_TRUE(Succeeds(UpsertThings(1, 10)));
  v1::DeleteRequest drop;
  drop.set_collection("things");
  drop.add_ids()->set_number(1);
  drop.add_ids()->set_number(77);
  *drop.mutable_filter() = Equals("n", 2);
  v1::DeleteResponse response;
  ASSERT_TRUE(Succeeds(Call(points_, &v1::Points::Stub::Delete, drop, &response)));
  EXPECT_EQ(response.deleted(), 2U);
  EXPECT_EQ(CountThings(), 8U);
  drop.Clear();
  drop.set_collection("things");
  EXPECT_THAT(Call(points_, &v1::Points::Stub::Delete, drop, &response),
              Fails(grpc::StatusCode::INVALID_ARGUMENT, "neither ids nor a filter"));
  EXPECT_EQ(CountThings(), 8U);
}

TEST_F(Rpc, ScrollPagesThroughEveryPointOnce) {
  ASSERT_TRUE(Succeeds(UpsertThings(1, 25)));
  v1::ScrollRequest scroll;
  scroll.set_collection("things");
  scroll.set_limit(10);
  scroll.mutable_selection()->set_payload(true);
  std::vector<uint64_t> seen;
  while (true) {
    v1::ScrollResponse page;
    ASSERT_TRUE(Succeeds(Call(points_, &v1::Points::Stub::Scroll, scroll, &page)));
    for (const v1::StoredPoint& point : page.points()) {
      seen.push_back(point.id().number());
      EXPECT_EQ(point.payload().fields().at("n").integer(), static_cast<int64_t>(seen.back()));
    }
    if (!page.has_next()) break;
    *scroll.mutable_from_id() = page.next();
  }
  ASSERT_THAT(seen, SizeIs(25));
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i + 1);
}

TEST_F(Rpc, CountTakesAFilter) {
  ASSERT_TRUE(Succeeds(UpsertThings(1, 9)));
  v1::CountRequest count;
  count.set_collection("things");
  count.mutable_filter()->mutable_range()->set_field("n");
  count.mutable_filter()->mutable_range()->set_gt(3);
  count.mutable_filter()->mutable_range()->set_lte(7);
  v1::CountResponse response;
  ASSERT_TRUE(Succeeds(Call(points_, &v1::Points::Stub::Count, count, &response)));
  EXPECT_EQ(response.count(), 4U);
}

TEST_F(Rpc, SearchReturnsTheNearestBestFirstAndSaysHow) {
  ASSERT_TRUE(Succeeds(UpsertThings(1, 100)));
  v1::SearchRequest search = SearchThings({50.2F, 0, 0, 0}, 3);
  search.set_exact(true);
  search.mutable_selection()->set_payload(true);
  v1::SearchResponse found;
  ASSERT_TRUE(Succeeds(Search(search, &found)));
  EXPECT_THAT(IdsOf(found), ElementsAre(50, 51, 49));
  EXPECT_NEAR(found.points(0).score(), 0.2, 1e-4);
  EXPECT_EQ(found.points(0).point().payload().fields().at("n").integer(), 50);
  EXPECT_EQ(found.trace().plan(), "exact scan");
  EXPECT_GE(found.trace().distances(), 100U);
  EXPECT_GT(found.trace().total_us(), 0U);

  search.set_offset(1);
  ASSERT_TRUE(Succeeds(Search(search, &found)));
  EXPECT_THAT(IdsOf(found), ElementsAre(51, 49, 52));
  search.set_offset(0);
  search.set_score_threshold(0.9F);
  ASSERT_TRUE(Succeeds(Search(search, &found)));
  EXPECT_THAT(IdsOf(found), ElementsAre(50, 51));
  search.clear_score_threshold();
  search.mutable_filter()->mutable_equals()->set_field("parity");
  search.mutable_filter()->mutable_equals()->mutable_value()->set_text("odd");
  ASSERT_TRUE(Succeeds(Search(search, &found)));
  EXPECT_THAT(IdsOf(found), ElementsAre(51, 49, 53));
}

TEST_F(Rpc, ReadSeesThePositionItAsksFor) {
  v1::UpsertResponse written;
  ASSERT_TRUE(Succeeds(Call(points_, &v1::Points::Stub::Upsert, ThingsBatch(1, 1), &written)));
  v1::SearchRequest search = SearchThings({1, 0, 0, 0}, 1);
  *search.mutable_read()->mutable_min_position() = written.position();
  ASSERT_TRUE(Succeeds(Search(search)));
  search.mutable_read()->mutable_min_position()->set_epoch(written.position().epoch() + 1);
  EXPECT_THAT(Search(search), Fails(grpc::StatusCode::FAILED_PRECONDITION, "epoch"));
}

TEST_F(Rpc, StatusTellsWhatTheServerHolds) {
  ASSERT_TRUE(Succeeds(UpsertThings(1, 5)));
  v1::GetStatusResponse status;
  ASSERT_TRUE(Succeeds(Call(admin_, &v1::Admin::Stub::GetStatus, {}, &status)));
  EXPECT_THAT(status.version(), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_GT(status.uptime_s(), 0);
  EXPECT_THAT(status.instruction_set(), testing::AnyOf("scalar", "avx2", "avx512"));
  EXPECT_GE(status.threads(), 1U);
  EXPECT_EQ(status.collections(), 1U);
  EXPECT_EQ(status.points(), 5U);
  EXPECT_GT(status.disk_bytes(), 0U);
  EXPECT_GT(status.resident_bytes(), 1U << 20);
}

TEST_F(Rpc, PointsSurviveARestart) {
  ASSERT_TRUE(Succeeds(UpsertThings(1, 5)));
  Start();
  EXPECT_EQ(CountThings(), 5U);
  v1::SearchResponse found;
  ASSERT_TRUE(Succeeds(Search(SearchThings({3, 0, 0, 0}, 1), &found)));
  EXPECT_THAT(IdsOf(found), ElementsAre(3));
}

TEST_F(Rpc, DeeplyNestedPayloadComesBack) {
  v1::UpsertRequest upsert = ThingsBatch(1, 1);
  v1::Payload* at = upsert.mutable_points(0)->mutable_payload();
  for (int depth = 1; depth < 32; ++depth) at = (*at->mutable_fields())["x"].mutable_object();
  ASSERT_TRUE(Succeeds(Upsert(upsert)));
  v1::GetRequest get;
  get.set_collection("things");
  get.add_ids()->set_number(1);
  get.mutable_selection()->set_payload(true);
  v1::GetResponse response;
  ASSERT_TRUE(Succeeds(Call(points_, &v1::Points::Stub::Get, get, &response)));
  EXPECT_EQ(response.points(0).payload().SerializeAsString().size(),
            upsert.points(0).payload().SerializeAsString().size());
}

}  // namespace
}  // namespace vettore
