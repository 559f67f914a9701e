// The catalog: collections and aliases come, go, and survive what cuts a change off.
#include "engine/database.h"

#include <map>

#include "engine/test_database.h"
#include "gmock/gmock.h"
#include "storage/store.h"

namespace vettore {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

CollectionConfig SmallConfig() { return OneVector(2, Metric::kL2, FlatConfig{}); }

class DatabaseTest : public ::testing::Test {
 protected:
  std::shared_ptr<Collection> CreateWithPoint(std::string_view name, uint64_t id) {
    auto collection = *database_->Create(NameFor(name), SmallConfig());
    EXPECT_TRUE(Write(*collection, Upsert({MakePoint(PointId(id), {1, 2})})).ok());
    return collection;
  }
  // Runs `change` on the closed directory's records.
  template <typename Change>
  void WithStore(Change change) {
    database_.Close();
    StoreOptions options;
    options.data_dir = database_.path();
    auto store = Store::Open(options);
    ASSERT_TRUE(store.ok()) << store.status();
    change(**store);
  }
  static std::map<std::string, std::string> Meta(const Store& store) {
    const auto pairs = *store.ListMeta("catalog/");
    return {pairs.begin(), pairs.end()};
  }

  TestDatabase database_;
};

TEST_F(DatabaseTest, CollectionIsFoundByNameAndDescribesItself) {
  CreateWithPoint("docs", 7);
  const auto found = database_->Get(NameFor("docs"));
  ASSERT_TRUE(found.ok()) << found.status();
  const CollectionStatus status = (*found)->Status();
  EXPECT_EQ(status.name, "docs");
  EXPECT_EQ(status.config, SmallConfig());
  EXPECT_EQ(status.points, 1U);
  EXPECT_EQ(status.position, (Position{.epoch = 1, .seq = 1}));
  EXPECT_GT(status.created_unix_ms, 1'600'000'000'000);
  EXPECT_EQ(status.vectors.at(0).live, 1U);
  EXPECT_TRUE(status.error.empty());
}

TEST_F(DatabaseTest, NameIsTakenOnceByCollectionOrAlias) {
  CreateWithPoint("docs", 1);
  EXPECT_EQ(database_->Create(NameFor("docs"), SmallConfig()).status().code(),
            absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(database_->SetAlias(NameFor("current"), NameFor("docs")).ok());
  const auto created = database_->Create(NameFor("current"), SmallConfig());
  EXPECT_EQ(created.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(created.status().message()), HasSubstr("an alias of 'docs'"));
  EXPECT_EQ(database_->SetAlias(NameFor("docs"), NameFor("docs")).code(),
            absl::StatusCode::kAlreadyExists);
}

TEST_F(DatabaseTest, InvalidConfigIsRefused) {
  CollectionConfig config = SmallConfig();
  config.vectors[0].dimension = 0;
  EXPECT_EQ(database_->Create(NameFor("docs"), config).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(database_->List(), IsEmpty());
}

TEST_F(DatabaseTest, NotFoundSuggestsANameThatIsNear) {
  CreateWithPoint("articles", 1);
  ASSERT_TRUE(database_->SetAlias(NameFor("latest"), NameFor("articles")).ok());
  const auto message = [&](std::string_view name) {
    const auto found = database_->Get(NameFor(name));
    EXPECT_EQ(found.status().code(), absl::StatusCode::kNotFound);
    return std::string(found.status().message());
  };
  EXPECT_EQ(message("artikles"), "collection 'artikles' does not exist; did you mean 'articles'?");
  EXPECT_EQ(message("lattest"), "collection 'lattest' does not exist; did you mean 'latest'?");
  EXPECT_EQ(message("something"), "collection 'something' does not exist");
}

TEST_F(DatabaseTest, AliasLeadsToItsCollectionAndMoves) {
  CreateWithPoint("blue", 1);
  CreateWithPoint("green", 2);
  ASSERT_TRUE(database_->SetAlias(NameFor("live"), NameFor("blue")).ok());
  EXPECT_EQ((*database_->Get(NameFor("live")))->Status().name, "blue");
  ASSERT_TRUE(database_->SetAlias(NameFor("live"), NameFor("green")).ok());
  EXPECT_EQ((*database_->Get(NameFor("live")))->Status().name, "green");
  EXPECT_THAT(database_->ListAliases(), ElementsAre(Pair("live", "green")));
  EXPECT_THAT((*database_->Get(NameFor("green")))->Status().aliases, ElementsAre("live"));
  EXPECT_EQ(database_->SetAlias(NameFor("live"), NameFor("red")).code(),
            absl::StatusCode::kNotFound);
  database_.Reopen();
  EXPECT_EQ((*database_->Get(NameFor("live")))->Status().name, "green");
  ASSERT_TRUE(database_->DropAlias(NameFor("live")).ok());
  EXPECT_EQ(database_->DropAlias(NameFor("live")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(database_->Get(NameFor("live")).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(DatabaseTest, DropTakesAliasesAndPointsAlongAndARecreatedCollectionIsEmpty) {
  const Position earlier = CreateWithPoint("docs", 1)->Status().position;
  ASSERT_TRUE(database_->SetAlias(NameFor("live"), NameFor("docs")).ok());
  EXPECT_EQ(database_->Drop(NameFor("live")).code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(database_->Drop(NameFor("docs")).ok());
  EXPECT_EQ(database_->Drop(NameFor("docs")).code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(database_->ListAliases(), IsEmpty());

  std::shared_ptr<Collection> recreated = *database_->Create(NameFor("docs"), SmallConfig());
  EXPECT_EQ(*Count(*recreated), 0U);
  // A position of the collection that had the name before is not waited for.
  EXPECT_EQ(recreated->Count(std::nullopt, {.min_position = earlier}, {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  recreated.reset();
  database_.Reopen();
  EXPECT_EQ(*Count(**database_->Get(NameFor("docs"))), 0U);
}

TEST_F(DatabaseTest, CallsOnADroppedCollectionEndWithNotFound) {
  const auto held = CreateWithPoint("docs", 1);
  ASSERT_TRUE(database_->Drop(NameFor("docs")).ok());
  EXPECT_EQ(Write(*held, Delete(Numbers({1}))).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Count(*held).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Get(*held, Numbers({1})).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Scroll(*held, {}).status().code(), absl::StatusCode::kNotFound);
  SearchRequest search;
  search.query = {1, 2};
  EXPECT_EQ(Search(*held, search).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(DatabaseTest, CollectionOutlivesTheDatabaseInItsHoldersHand) {
  const auto held = CreateWithPoint("docs", 1);
  database_.Close();
  EXPECT_EQ(*Count(*held), 1U);
  EXPECT_TRUE(Write(*held, Delete(Numbers({1}))).ok());
}

TEST_F(DatabaseTest, NumericIdsAreNeverReused) {
  CreateWithPoint("a", 1);
  CreateWithPoint("b", 1);
  ASSERT_TRUE(database_->Drop(NameFor("b")).ok());
  database_.Reopen();
  CreateWithPoint("c", 1);
  WithStore([](Store& store) {
    const auto meta = Meta(store);
    EXPECT_THAT(meta.at("catalog/collection/c"), HasSubstr("\"id\":3"));
    EXPECT_EQ(meta.at("catalog/next_id"), "4");
  });
}

TEST_F(DatabaseTest, DropThatWasCutOffIsFinishedAtOpen) {
  CreateWithPoint("docs", 1);
  WithStore([](Store& store) {
    // As BeginDrop leaves it when the process dies right after.
    const auto meta = Meta(store);
    const std::string key = "catalog/collection/docs";
    const std::vector<Store::MetaChange> changes = {
        {.key = key, .expected = meta.at(key), .value = std::nullopt},
        {.key = "catalog/dropping/1", .expected = std::nullopt, .value = "docs"}};
    ASSERT_TRUE(store.ChangeMeta(changes).ok());
    EXPECT_TRUE((*store.GetPoints({.collection = 1, .shard = 0}, std::vector<Slot>{0}))[0]);
  });
  database_.Open();
  EXPECT_THAT(database_->List(), IsEmpty());
  WithStore([](Store& store) {
    EXPECT_FALSE((*store.GetPoints({.collection = 1, .shard = 0}, std::vector<Slot>{0}))[0]);
    EXPECT_FALSE(Meta(store).contains("catalog/dropping/1"));
  });
}

TEST_F(DatabaseTest, DamagedCollectionSaysSoAndDoesNotStopTheOthers) {
  CreateWithPoint("good", 1);
  CreateWithPoint("orphan", 2);
  CreateWithPoint("unreadable", 3);
  WithStore([](Store& store) {
    auto batch = store.NewBatch({.collection = 2, .shard = 0});
    batch->PutVector(99, VectorOrdinal{0}, std::vector<float>{1, 2});
    std::vector<std::unique_ptr<ShardBatch>> batches;
    batches.push_back(std::move(batch));
    ASSERT_TRUE(store.Commit(std::move(batches), Durability::kDurable).ok());
    const std::string key = "catalog/collection/unreadable";
    const std::vector<Store::MetaChange> changes = {
        {.key = key, .expected = Meta(store).at(key), .value = "{\"id\":"}};
    ASSERT_TRUE(store.ChangeMeta(changes).ok());
  });
  database_.Open();
  EXPECT_EQ(*Count(**database_->Get(NameFor("good"))), 1U);
  const auto list = database_->List();
  ASSERT_EQ(list.size(), 3U);
  EXPECT_TRUE(list[0].error.empty());
  EXPECT_THAT(list[1].error, HasSubstr("slot 99: vector '' belongs to no point"));
  EXPECT_EQ(list[1].config, SmallConfig());
  EXPECT_THAT(list[2].error, HasSubstr("catalog/collection/unreadable"));
  const auto damaged = *database_->Get(NameFor("orphan"));
  EXPECT_EQ(Count(*damaged).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Write(*damaged, Delete(Numbers({2}))).status().code(), absl::StatusCode::kDataLoss);
  // It can be dropped; one whose record cannot be read cannot, since its points are not known.
  EXPECT_TRUE(database_->Drop(NameFor("orphan")).ok());
  EXPECT_EQ(database_->Drop(NameFor("unreadable")).code(), absl::StatusCode::kDataLoss);
}

// A stored config was taken as it stood: dimension 0, or m 4,000,000,000.
TEST_F(DatabaseTest, StoredConfigThatCannotBeIsDataLoss) {
  CreateWithPoint("docs", 1);
  WithStore([](Store& store) {
    const std::string key = "catalog/collection/docs";
    const std::string record = Meta(store).at(key);
    std::string changed = record;
    const std::string dimension = "\"dimension\":2";
    changed.replace(changed.find(dimension), dimension.size(), "\"dimension\":0");
    const std::vector<Store::MetaChange> changes = {
        {.key = key, .expected = record, .value = changed}};
    ASSERT_TRUE(store.ChangeMeta(changes).ok());
  });
  database_.Open();
  const auto count = Count(**database_->Get(NameFor("docs")));
  EXPECT_EQ(count.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(count.status().message()), HasSubstr("dimension"));
}

TEST_F(DatabaseTest, LossOfWritesIsRefusedUntilItIsAccepted) {
  CreateWithPoint("docs", 1);
  database_.Close();
  std::filesystem::remove(database_.path() / "WATERMARK");
  DatabaseOptions options;
  options.data_dir = database_.path();
  const absl::Status refused = Database::Open(options).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("start with --accept-data-loss"));
  options.accept_data_loss = true;
  const auto accepted = Database::Open(options);
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ(*Count(**(*accepted)->Get(NameFor("docs"))), 1U);
}

TEST_F(DatabaseTest, EverythingIsThereAfterReopen) {
  CollectionConfig config = SmallConfig();
  config.vectors[0].index = HnswConfig{};
  config.payload_indexes.push_back({.field = "n", .kind = PayloadIndexKind::kInteger});
  auto collection = *database_->Create(NameFor("docs"), config);
  std::vector<PointWrite> points;
  for (uint64_t i = 0; i < 500; ++i) {
    points.push_back(MakePoint(PointId(i), {static_cast<float>(i), 1}, {{"n", i}}));
  }
  ASSERT_TRUE(Write(*collection, Upsert(points)).ok());
  ASSERT_TRUE(Write(*collection, Delete(Numbers({10, 20}))).ok());
  const Position position = collection->Status().position;
  collection.reset();
  database_.Reopen();
  collection = *database_->Get(NameFor("docs"));
  EXPECT_EQ(collection->Status().position, position);
  EXPECT_EQ(*Count(*collection), 498U);
  EXPECT_EQ(*Count(*collection, Equals("n", int64_t{30})), 1U);
  SearchRequest search;
  search.query = {10, 1};
  search.k = 3;
  EXPECT_EQ(IdsOf(*Search(*collection, search)), Numbers({9, 11, 8}));
  // Freed slots are used again, and by one point only.
  ASSERT_TRUE(Write(*collection,
                    Upsert({MakePoint(PointId(900), {900, 1}), MakePoint(PointId(901), {901, 1}),
                            MakePoint(PointId(902), {902, 1})}))
                  .ok());
  collection.reset();
  database_.Reopen();
  collection = *database_->Get(NameFor("docs"));
  EXPECT_EQ(*Count(*collection), 501U);
  search.query = {900.2F, 1};
  EXPECT_EQ(IdsOf(*Search(*collection, search)), Numbers({900, 901, 902}));
}

}  // namespace
}  // namespace vettore
