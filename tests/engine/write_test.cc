// What a write accepts, what it changes, and how it answers.
#include <cmath>
#include <limits>

#include "engine/producer_table.h"
#include "engine/test_database.h"
#include "gmock/gmock.h"
#include "storage/store.h"
#include "types/limits.h"

namespace vettore {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;

class WriteTest : public ::testing::Test {
 protected:
  WriteTest() {
    CollectionConfig config = OneVector(2, Metric::kCosine, FlatConfig{});
    VectorConfig title;
    title.name = "title";
    title.dimension = 3;
    title.metric = Metric::kL2;
    title.index = FlatConfig{};
    config.vectors.push_back(title);
    config.payload_indexes.push_back({.field = "tag", .kind = PayloadIndexKind::kKeyword});
    collection_ = CreateShared(config);
  }

  absl::Status Fails(WriteRequest request) const {
    const Position before = collection_->Status().position;
    const auto result = Write(*collection_, std::move(request));
    EXPECT_FALSE(result.ok());
    EXPECT_EQ(collection_->Status().position, before);
    return result.status();
  }

  std::shared_ptr<Collection> collection_;
};

void ExpectInvalid(const absl::Status& status, const std::string& words) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(words));
}

TEST_F(WriteTest, FreshCollectionStandsAtSequenceZeroOfItsEpoch) {
  EXPECT_GE(collection_->Status().position.epoch, 1U);
  EXPECT_EQ(collection_->Status().position.seq, 0U);
}

TEST_F(WriteTest, EachRequestTakesTheNextPosition) {
  const uint64_t epoch = collection_->Status().position.epoch;
  EXPECT_EQ(Write(*collection_, Upsert({MakePoint(PointId(1), {1, 0})}))->position,
            (Position{.epoch = epoch, .seq = 1}));
  EXPECT_EQ(Write(*collection_, Delete(Numbers({77})))->position,
            (Position{.epoch = epoch, .seq = 2}));
}

TEST_F(WriteTest, StoredPointComesBackAsItWasWritten) {
  PointWrite point = MakePoint(TextId("a"), {3, 4}, {{"n", 9007199254740993}, {"x", 1.0}});
  point.vectors.push_back({.name = "title", .values = {1, 2, 3}});
  const auto written = Write(*collection_, Upsert({point}));
  ASSERT_TRUE(written.ok()) << written.status();
  const auto read = Get(*collection_, {TextId("a"), TextId("b")});
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_TRUE((*read)[0].has_value());
  EXPECT_FALSE((*read)[1].has_value());
  const PointRead& got = *(*read)[0];
  EXPECT_EQ(got.id, TextId("a"));
  EXPECT_EQ(got.version, written->position.seq);
  EXPECT_EQ(got.payload.dump(), R"({"n":9007199254740993,"x":1.0})");
  ASSERT_EQ(got.vectors.size(), 2U);
  EXPECT_THAT(got.vectors[0].values, ElementsAre(0.6F, 0.8F));  // Cosine is kept at unit length.
  EXPECT_THAT(got.vectors[1].values, ElementsAre(1, 2, 3));
}

TEST_F(WriteTest, UpsertReplacesTheWholePoint) {
  PointWrite both = MakePoint(PointId(1), {1, 0}, {{"tag", "old"}});
  both.vectors.push_back({.name = "title", .values = {1, 2, 3}});
  ASSERT_TRUE(Write(*collection_, Upsert({both})).ok());
  ASSERT_TRUE(Write(*collection_, Upsert({MakePoint(PointId(1), {0, 1}, {{"tag", "new"}})})).ok());
  const auto read = Get(*collection_, Numbers({1}));
  ASSERT_EQ((*read)[0]->vectors.size(), 1U);
  EXPECT_EQ((*read)[0]->payload, (Json{{"tag", "new"}}));
  EXPECT_EQ(*Count(*collection_, Equals("tag", std::string("old"))), 0U);
  EXPECT_EQ(*Count(*collection_, Equals("tag", std::string("new"))), 1U);
  SearchRequest title;
  title.vector_name = "title";
  title.query = {1, 2, 3};
  EXPECT_TRUE(Search(*collection_, title)->points.empty());
}

TEST_F(WriteTest, LastPointOfAnIdWinsWithinARequest) {
  const auto written = Write(*collection_, Upsert({MakePoint(PointId(1), {1, 0}, {{"n", 1}}),
                                                   MakePoint(PointId(2), {1, 0}, {{"n", 2}}),
                                                   MakePoint(PointId(1), {0, 1}, {{"n", 3}})}));
  EXPECT_EQ(written->upserted, 2U);
  EXPECT_EQ((*Get(*collection_, Numbers({1})))[0]->payload["n"], 3);
  EXPECT_EQ(*Count(*collection_), 2U);
}

TEST_F(WriteTest, DeleteCountsOnlyPointsThatExistedAndAreGone) {
  ASSERT_TRUE(Write(*collection_, Upsert({MakePoint(PointId(1), {1, 0}, {{"tag", "x"}}),
                                          MakePoint(PointId(2), {1, 0}, {{"tag", "x"}}),
                                          MakePoint(PointId(3), {1, 0}, {{"tag", "y"}})}))
                  .ok());
  // 1 is replaced, 2 matches the filter, 3 is named twice, 4 does not exist.
  WriteRequest request = DeleteWhere(Equals("tag", std::string("x")));
  request.deletes = Numbers({3, 3, 4, 1});
  request.upserts = {MakePoint(PointId(1), {0, 1}, {{"tag", "x"}})};
  const auto written = Write(*collection_, request);
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->deleted, 2U);
  EXPECT_EQ(written->upserted, 1U);
  EXPECT_EQ(*Count(*collection_), 1U);
  EXPECT_EQ(*Count(*collection_, Equals("tag", std::string("x"))), 1U);
}

TEST_F(WriteTest, RejectedBatchChangesNothing) {
  ASSERT_TRUE(Write(*collection_, Upsert({MakePoint(PointId(1), {1, 0}, {{"n", 1}})})).ok());
  WriteRequest request = Upsert({MakePoint(PointId(1), {0, 1}, {{"n", 2}}),
                                 MakePoint(PointId(2), {0, 1}), MakePoint(PointId(3), {0, 1, 2})});
  request.deletes = Numbers({1});
  ExpectInvalid(Fails(request), "points[2].vectors['']: dimension 3, collection expects 2");
  EXPECT_EQ(*Count(*collection_), 1U);
  EXPECT_EQ((*Get(*collection_, Numbers({1})))[0]->payload["n"], 1);
}

TEST_F(WriteTest, ErrorsNameThePointAndTheField) {
  PointWrite point = MakePoint(PointId(2), {1, 0});
  const auto with_vector = [&](std::string name, std::vector<float> values) {
    PointWrite bad = point;
    bad.vectors.push_back({.name = std::move(name), .values = std::move(values)});
    return Upsert({MakePoint(PointId(1), {1, 0}), bad});
  };
  ExpectInvalid(Fails(with_vector("title", {1, 2})),
                "points[1].vectors['title']: dimension 2, collection expects 3");
  ExpectInvalid(Fails(with_vector("titel", {1, 2, 3})),
                "points[1]: vector 'titel' does not exist; the collection has '' (the default), "
                "'title'");
  ExpectInvalid(Fails(with_vector("", {1, 0})), "points[1].vectors['']: given twice");
  ExpectInvalid(Fails(with_vector("title", {1, NAN, 3})), "points[1].vectors['title']");
  ExpectInvalid(Fails(with_vector("title", {1, INFINITY, 3})), "points[1].vectors['title']");
  ExpectInvalid(Fails(Upsert({MakePoint(PointId(1), {0, 0})})), "points[0].vectors['']");
  ExpectInvalid(Fails(Upsert({MakePoint(PointId(1), {1, 0}, Json::array())})), "points[0].payload");
  ExpectInvalid(
      Fails(Upsert({MakePoint(PointId(1), {1, 0}, {{"text", std::string(2 << 20, 'x')}})})),
      "points[0].payload");
}

TEST_F(WriteTest, ABadPointIsRefusedAlsoWhenALaterOneReplacesIt) {
  ExpectInvalid(Fails(Upsert({MakePoint(PointId(1), {NAN, 0}), MakePoint(PointId(1), {1, 0})})),
                "points[0].vectors['']");
}

TEST_F(WriteTest, LimitsOfARequestAreNamed) {
  ExpectInvalid(Fails(WriteRequest()), "nothing to do");
  ExpectInvalid(Fails(Upsert(std::vector<PointWrite>(20'000))),
                "points: 20000 in one write, at most 10000");
  ExpectInvalid(Fails(Delete(std::vector<PointId>(10'001, PointId(1)))),
                "ids: 10001 in one write, at most 10000");
  Filter deep = Equals("tag", true);
  for (int i = 0; i < 100; ++i) deep = Where(FilterNot{.operand = {deep}});
  EXPECT_EQ(Fails(DeleteWhere(deep)).code(), absl::StatusCode::kInvalidArgument);
  WriteRequest producer = Upsert({MakePoint(PointId(1), {1, 0})});
  producer.producer = ProducerTag{.producer = "", .seq = 1};
  ExpectInvalid(Fails(producer), "producer.id: 1 to 64 bytes, got 0");
  producer.producer = ProducerTag{.producer = "p", .seq = 0};
  ExpectInvalid(Fails(producer), "producer.seq: starts at 1, got 0");
}

TEST_F(WriteTest, PointWithoutVectorsIsStoredAndNotFoundBySearch) {
  ASSERT_TRUE(Write(*collection_, Upsert({MakePoint(PointId(1), {}, {{"n", 1}})})).ok());
  EXPECT_EQ(*Count(*collection_), 1U);
  SearchRequest request;
  request.query = {1, 0};
  EXPECT_TRUE(Search(*collection_, request)->points.empty());
}

TEST_F(WriteTest, ExpiredDeadlineChangesNothing) {
  const CancelToken expired(absl::Now() - absl::Seconds(1), {});
  const auto result = collection_->Write(Upsert({MakePoint(PointId(1), {1, 0})}), expired);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(*Count(*collection_), 0U);
}

class ProducerTest : public ::testing::Test {
 protected:
  ProducerTest() {
    collection_ = *database_->Create(NameFor("docs"), OneVector(2, Metric::kCosine, FlatConfig{}));
  }

  absl::StatusOr<WriteResult> WriteAs(uint64_t seq, const PointId& id) {
    WriteRequest request = Upsert({MakePoint(id, {1, 0}, {{"seq", seq}})});
    request.producer = ProducerTag{.producer = "loader", .seq = seq};
    return Write(*collection_, request);
  }

  // Runs `use` on the records, while the database is closed.
  template <typename Use>
  void WithStore(Use use) {
    collection_.reset();
    database_.Close();
    StoreOptions options;
    options.data_dir = database_.path();
    auto store = Store::Open(options);
    ASSERT_TRUE(store.ok()) << store.status();
    use(**store);
    store->reset();
    database_.Open();
    collection_ = *database_->Get(NameFor("docs"));
  }
  std::vector<std::string> StoredProducers() {
    std::vector<std::string> names;
    WithStore([&](const Store& store) {
      const auto note = [&](std::string_view name, const ProducerRecord&) {
        names.emplace_back(name);
        return absl::OkStatus();
      };
      EXPECT_TRUE(store.ForEachProducer({.collection = 1, .shard = 0}, note).ok());
    });
    return names;
  }

  TestDatabase database_;
  std::shared_ptr<Collection> collection_;
};

TEST_F(ProducerTest, RetryIsAcknowledgedWithTheFirstPositionAndChangesNothing) {
  const auto first = WriteAs(1, PointId(1));
  ASSERT_TRUE(Write(*collection_, Delete(Numbers({1}))).ok());
  const auto retry = WriteAs(1, PointId(1));
  ASSERT_TRUE(retry.ok()) << retry.status();
  EXPECT_TRUE(retry->duplicate);
  EXPECT_EQ(retry->position, first->position);
  EXPECT_EQ(*Count(*collection_), 0U);
}

TEST_F(ProducerTest, OlderSequenceIsADuplicateAndALaterOneIsNot) {
  ASSERT_TRUE(WriteAs(5, PointId(1)).ok());
  EXPECT_TRUE(WriteAs(4, PointId(2))->duplicate);
  EXPECT_FALSE(WriteAs(9, PointId(3))->duplicate);
  EXPECT_EQ(*Count(*collection_), 2U);
}

TEST_F(ProducerTest, RetryAfterReopenIsRecognised) {
  const auto first = WriteAs(7, PointId(1));
  collection_.reset();
  database_.Reopen();
  collection_ = *database_->Get(NameFor("docs"));
  const auto retry = WriteAs(7, PointId(1));
  EXPECT_TRUE(retry->duplicate);
  EXPECT_EQ(retry->position, first->position);
}

TEST_F(ProducerTest, ProducerSilentForAWeekIsForgotten) {
  ASSERT_TRUE(WriteAs(7, PointId(1)).ok());
  database_.clock_offset = absl::Hours(6 * 24);
  EXPECT_TRUE(WriteAs(7, PointId(2))->duplicate);
  database_.clock_offset = absl::Hours(8 * 24);
  EXPECT_FALSE(WriteAs(7, PointId(2))->duplicate);
}

// The records of producers stayed on disk for good, and all came back at the next open.
TEST_F(ProducerTest, ForgottenProducerIsGoneFromTheDisk) {
  ASSERT_TRUE(WriteAs(1, PointId(1)).ok());
  ASSERT_EQ(StoredProducers(), std::vector<std::string>{"loader"});
  // By the next write, whoever's it is.
  database_.clock_offset = absl::Hours(8 * 24);
  ASSERT_TRUE(WriteAs(1, PointId(1)).ok());
  database_.clock_offset = absl::Hours(16 * 24);
  ASSERT_TRUE(Write(*collection_, Delete(Numbers({9}))).ok());
  EXPECT_TRUE(StoredProducers().empty());
  // By opening.
  ASSERT_TRUE(WriteAs(1, PointId(1)).ok());
  ASSERT_EQ(StoredProducers().size(), 1U);
  database_.clock_offset = absl::Hours(24 * 24);
  collection_.reset();
  database_.Reopen();
  collection_ = *database_->Get(NameFor("docs"));
  EXPECT_TRUE(StoredProducers().empty());
}

TEST_F(ProducerTest, NewestProducersStayWhenThereAreTooMany) {
  const auto name = [](uint64_t seq) { return "p" + std::to_string(seq); };
  constexpr uint64_t kLast = ProducerTable::kCapacity + 5;
  WithStore([&](Store& store) {
    std::vector<std::unique_ptr<ShardBatch>> batches;
    batches.push_back(store.NewBatch({.collection = 1, .shard = 0}));
    for (uint64_t seq = 1; seq <= kLast; ++seq) {
      batches.front()->PutProducer(name(seq), {.seq = 1,
                                               .position = {.epoch = 1, .seq = seq},
                                               .unix_ms = absl::ToUnixMillis(absl::Now())});
    }
    ASSERT_TRUE(store.Commit(std::move(batches), Durability::kBuffered).ok());
  });
  ASSERT_TRUE(WriteAs(1, PointId(1)).ok());
  std::vector<std::string> expected = {"loader"};
  for (uint64_t seq = 7; seq <= kLast; ++seq) expected.push_back(name(seq));
  EXPECT_THAT(StoredProducers(), UnorderedElementsAreArray(expected));
}

TEST_F(ProducerTest, DurableRetryOfABufferedWriteSucceeds) {
  ASSERT_TRUE(WriteAs(1, PointId(1)).ok());
  WriteRequest retry = Upsert({MakePoint(PointId(1), {1, 0})});
  retry.producer = ProducerTag{.producer = "loader", .seq = 1};
  retry.durability = Durability::kDurable;
  const auto result = Write(*collection_, retry);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->duplicate);
}

}  // namespace
}  // namespace vettore
