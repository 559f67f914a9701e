#include "storage/store.h"

#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "storage/store_testing.h"

namespace vettore {
namespace {

using namespace storage_testing;  // NOLINT: the vocabulary of these tests.
using absl::StatusCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::vector<uint64_t> UpTo(uint64_t last) {
  std::vector<uint64_t> numbers(last);
  std::iota(numbers.begin(), numbers.end(), 1);
  return numbers;
}

std::vector<uint64_t> OpSeqs(const Store& store, Position after = {}) {
  std::vector<uint64_t> seqs;
  EXPECT_THAT(store.ForEachOps(kShard, after,
                               [&](Position position, std::span<const Op>) {
                                 seqs.push_back(position.seq);
                                 return absl::OkStatus();
                               }),
              IsOk());
  return seqs;
}

std::vector<std::string> Ids(const Store& store, const PointId* from) {
  std::vector<std::string> ids;
  EXPECT_THAT(store.ForEachId(kShard, from,
                              [&](const PointId& id, Slot) {
                                ids.push_back(id.ToString());
                                return true;
                              }),
              IsOk());
  return ids;
}

TEST(Store, EveryRecordIsThereAfterReopening) {
  const TemporaryDirectory dir;
  for (const uint64_t last : {10u, 20u}) {
    const auto store = OpenOrDie(dir.path());
    EXPECT_EQ(WholePoints(*store, last), UpTo(last - 10));
    for (uint64_t seq = last - 9; seq <= last; ++seq) {
      ASSERT_THAT(CommitPoint(*store, seq, seq % 2 ? Durability::kDurable : Durability::kBuffered),
                  IsOk());
    }
    EXPECT_EQ(WholePoints(*store, last), UpTo(last));
  }
  EXPECT_EQ(WholePoints(*OpenOrDie(dir.path()), 30), UpTo(20));
}

TEST(Store, AShardNeverWrittenIsEmpty) {
  const TemporaryDirectory dir;
  const auto store = OpenOrDie(dir.path());
  EXPECT_EQ(*store->AppliedPosition(kShard), Position());
  EXPECT_THAT(WholePoints(*store, 3), IsEmpty());
  EXPECT_THAT(store->GetPoints(kShard, {})->size(), 0);
  EXPECT_THAT(store->Commit({}, Durability::kDurable), IsOk());
}

TEST(Store, BatchesOfOneCommitAreWrittenInOrder) {
  const TemporaryDirectory dir;
  const auto store = OpenOrDie(dir.path());
  const ShardKey other{.collection = 8, .shard = 1};
  std::vector<std::unique_ptr<ShardBatch>> batches;
  batches.push_back(PointBatch(*store, 1));
  batches.push_back(PointBatch(*store, 1, other));
  auto deletion = store->NewBatch(kShard);
  deletion->DeletePoint(1, PointId(1));
  deletion->DeleteVector(1, kVector);
  const Op op = {.kind = OpKind::kDelete, .id = PointId(1), .slot = 1};
  deletion->AppendOps({.epoch = 1, .seq = 2}, {&op, 1});
  batches.push_back(std::move(deletion));
  ASSERT_THAT(store->Commit(std::move(batches), Durability::kDurable), IsOk());
  EXPECT_EQ((*store->GetPoints(kShard, std::vector<Slot>{1}))[0], std::nullopt);
  EXPECT_THAT((*store->GetVectors(kShard, kVector, std::vector<Slot>{1}))[0], IsEmpty());
  EXPECT_THAT(Ids(*store, nullptr), IsEmpty());
  EXPECT_THAT(OpSeqs(*store), ElementsAre(1, 2));
  EXPECT_EQ(WholePoints(*store, 1, other), UpTo(1));
}

TEST(Store, APositionThatIsNotPastTheAppliedOneWritesNothing) {
  const TemporaryDirectory dir;
  auto store = OpenOrDie(dir.path());
  ASSERT_THAT(CommitPoint(*store, 5), IsOk());
  store.reset();
  store = OpenOrDie(dir.path());
  std::vector<std::unique_ptr<ShardBatch>> batches;
  batches.push_back(PointBatch(*store, 6, {.collection = 9}));
  batches.push_back(PointBatch(*store, 5));
  EXPECT_THAT(store->Commit(std::move(batches), Durability::kDurable),
              FailsWith(StatusCode::kFailedPrecondition, "not past"));
  EXPECT_THAT(WholePoints(*store, 6, {.collection = 9}), IsEmpty());
  EXPECT_THAT(CommitPoint(*store, 6), IsOk());  // The store itself is well.
}

TEST(Store, PointsVectorsAndProducersAreVisitedInOrder) {
  const TemporaryDirectory dir;
  const auto store = OpenOrDie(dir.path());
  auto batch = store->NewBatch(kShard);
  const VectorOrdinal second{1};
  const std::vector<float> large(1000, 2.5f);  // In a blob file once flushed.
  for (const Slot slot : {300u, 2u, 70000u}) {
    batch->PutPoint(slot,
                    {.id = PointId(slot), .version = slot, .payload = std::string(5000, 'p')});
    batch->PutVector(slot, kVector, std::vector<float>{1.0f});
    batch->PutVector(slot, second, large);
  }
  batch->PutProducer("b", {.seq = 2, .position = {.epoch = 1, .seq = 9}, .unix_ms = 3});
  batch->PutProducer("a", {.seq = 1, .position = {.epoch = 1, .seq = 9}, .unix_ms = 4});
  std::vector<std::unique_ptr<ShardBatch>> batches;
  batches.push_back(std::move(batch));
  ASSERT_THAT(store->Commit(std::move(batches), Durability::kBuffered), IsOk());

  std::vector<Slot> slots;
  EXPECT_THAT(store->ForEachPoint(kShard,
                                  [&](Slot slot, const PointRecord& point) {
                                    EXPECT_EQ(point.payload.size(), 5000u);
                                    slots.push_back(slot);
                                    return absl::OkStatus();
                                  }),
              IsOk());
  EXPECT_THAT(slots, ElementsAre(2, 300, 70000));
  slots.clear();
  EXPECT_THAT(store->ForEachVector(kShard, second,
                                   [&](Slot slot, std::span<const float> vector) {
                                     EXPECT_TRUE(std::equal(vector.begin(), vector.end(),
                                                            large.begin(), large.end()));
                                     slots.push_back(slot);
                                     return absl::OkStatus();
                                   }),
              IsOk());
  EXPECT_THAT(slots, ElementsAre(2, 300, 70000));
  std::vector<std::pair<std::string, uint64_t>> producers;
  EXPECT_THAT(store->ForEachProducer(kShard,
                                     [&](std::string_view name, const ProducerRecord& record) {
                                       producers.emplace_back(name, record.seq);
                                       return absl::OkStatus();
                                     }),
              IsOk());
  EXPECT_THAT(producers, ElementsAre(Pair("a", 1), Pair("b", 2)));
  EXPECT_THAT(store->ForEachPoint(
                  kShard, [](Slot, const PointRecord&) { return absl::CancelledError("enough"); }),
              FailsWith(StatusCode::kCancelled, "enough"));
}

TEST(Store, IdsAreVisitedInTheirOrderFromWhereTheCallerSays) {
  const TemporaryDirectory dir;
  const auto store = OpenOrDie(dir.path());
  auto batch = store->NewBatch(kShard);
  Slot slot = 0;
  for (const PointId& id : {*PointId::Parse("b"), PointId(256), *PointId::Parse("a"), PointId(2),
                            *PointId::Parse("ab")}) {
    batch->PutPoint(slot, {.id = id, .version = 1, .payload = ""});
    ++slot;
  }
  std::vector<std::unique_ptr<ShardBatch>> batches;
  batches.push_back(std::move(batch));
  ASSERT_THAT(store->Commit(std::move(batches), Durability::kBuffered), IsOk());
  EXPECT_THAT(Ids(*store, nullptr), ElementsAre("2", "256", "'a'", "'ab'", "'b'"));
  const PointId from_number(3);
  EXPECT_THAT(Ids(*store, &from_number), ElementsAre("256", "'a'", "'ab'", "'b'"));
  const PointId from_text = *PointId::Parse("ab");
  EXPECT_THAT(Ids(*store, &from_text), ElementsAre("'ab'", "'b'"));
  int visited = 0;
  EXPECT_THAT(
      store->ForEachId(kShard, nullptr, [&](const PointId&, Slot) { return ++visited < 2; }),
      IsOk());
  EXPECT_EQ(visited, 2);
}

TEST(Store, MetadataChangesWholeOrNotAtAll) {
  const TemporaryDirectory dir;
  auto store = OpenOrDie(dir.path());
  using Change = Store::MetaChange;
  const std::string binary("\0\xFF", 2);
  ASSERT_THAT(
      store->ChangeMeta(std::vector<Change>{
          {"a/1", std::nullopt, binary}, {"a/2", std::nullopt, "two"}, {"b", std::nullopt, ""}}),
      IsOk());
  EXPECT_THAT(store->ChangeMeta(std::vector<Change>{{"a/2", "two", "three"}, {"b", "x", "y"}}),
              FailsWith(StatusCode::kAborted, "'b'"));
  EXPECT_THAT(store->ChangeMeta(std::vector<Change>{{"a/1", std::nullopt, "again"}}),
              FailsWith(StatusCode::kAborted, "exists already"));
  EXPECT_THAT(store->ChangeMeta(std::vector<Change>{{"c", "x", std::nullopt}}),
              FailsWith(StatusCode::kAborted, "deleted"));
  store.reset();
  store = OpenOrDie(dir.path());
  EXPECT_THAT(*store->ListMeta("a/"), ElementsAre(Pair("a/1", binary), Pair("a/2", "two")));
  ASSERT_THAT(store->ChangeMeta(std::vector<Change>{{"a/2", "two", std::nullopt}}), IsOk());
  EXPECT_EQ(*store->GetMeta("a/2"), std::nullopt);
  EXPECT_EQ(*store->GetMeta("b"), "");
  EXPECT_EQ(store->ListMeta("")->size(), 2u);
}

TEST(Store, OfManyCompareAndSetsOfOneKeyEachStepSucceedsOnce) {
  const TemporaryDirectory dir;
  const auto store = OpenOrDie(dir.path());
  ASSERT_THAT(store->ChangeMeta(std::vector<Store::MetaChange>{{"n", std::nullopt, "0"}}), IsOk());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int won = 0; won < 10;) {
        const std::string seen = **store->GetMeta("n");
        const std::string next = std::to_string(std::stoi(seen) + 1);
        won += store->ChangeMeta(std::vector<Store::MetaChange>{{"n", seen, next}}).ok();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(**store->GetMeta("n"), "40");
}

TEST(Store, CommitsOfManyThreadsAreAllThere) {
  const TemporaryDirectory dir;
  constexpr uint64_t kEach = 200;
  {
    const auto store = OpenOrDie(dir.path());
    std::vector<std::thread> threads;
    for (uint32_t t = 0; t < 6; ++t) {
      threads.emplace_back([&, t] {
        for (uint64_t seq = 1; seq <= kEach; ++seq) {
          const Durability durability =
              (t + seq) % 3 ? Durability::kBuffered : Durability::kDurable;
          EXPECT_THAT(CommitPoint(*store, seq, durability, {.collection = 100 + t}), IsOk());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  const auto store = OpenOrDie(dir.path());
  for (uint32_t t = 0; t < 6; ++t) {
    EXPECT_EQ(WholePoints(*store, kEach, {.collection = 100 + t}), UpTo(kEach));
  }
}

TEST(Store, ADroppedShardIsGoneAndItsNeighboursStay) {
  const TemporaryDirectory dir;
  auto store = OpenOrDie(dir.path());
  const ShardKey before{.collection = 6, .shard = 0xFFFF};
  const ShardKey after{.collection = 7, .shard = 1};
  for (const ShardKey shard : {before, kShard, after}) {
    for (uint64_t seq = 1; seq <= 5; ++seq) {
      ASSERT_THAT(CommitPoint(*store, seq, Durability::kBuffered, shard), IsOk());
    }
  }
  EXPECT_THAT(store->DropShard(kShard), IsOk());
  EXPECT_THAT(store->DropShard(kShard), IsOk());
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(WholePoints(*store, 5), IsEmpty());
    EXPECT_EQ(WholePoints(*store, 5, before), UpTo(5));
    EXPECT_EQ(WholePoints(*store, 5, after), UpTo(5));
    store.reset();
    store = OpenOrDie(dir.path());
  }
  EXPECT_THAT(CommitPoint(*store, 1), IsOk());  // Positions start anew.
  EXPECT_EQ(WholePoints(*store, 5), UpTo(1));
}

TEST(Store, AnIndexFolderLastsAndGoesWithItsShard) {
  const TemporaryDirectory dir;
  auto store = OpenOrDie(dir.path());
  const ShardKey other{.collection = kShard.collection, .shard = 9};
  std::vector<std::filesystem::path> folders;
  for (const ShardKey shard : {kShard, other}) {
    for (const VectorOrdinal ordinal : {VectorOrdinal{0}, VectorOrdinal{1}}) {
      folders.push_back(*store->IndexFolder(shard, ordinal));
      std::ofstream(folders.back() / "file") << "something";
    }
  }
  EXPECT_EQ(std::set(folders.begin(), folders.end()).size(), 4u);
  store.reset();
  store = OpenOrDie(dir.path());
  EXPECT_EQ(*store->IndexFolder(kShard, VectorOrdinal{0}), folders[0]);
  EXPECT_TRUE(std::filesystem::exists(folders[0] / "file"));
  ASSERT_THAT(store->DropShard(kShard), IsOk());
  EXPECT_FALSE(std::filesystem::exists(folders[0]));
  EXPECT_FALSE(std::filesystem::exists(folders[1]));
  EXPECT_TRUE(std::filesystem::exists(folders[2] / "file"));
}

TEST(Store, ADroppedShardGivesItsSpaceBack) {
  const TemporaryDirectory dir;
  const auto store = OpenOrDie(dir.path());
  std::mt19937 random(1);
  std::vector<float> vector(4096);
  for (uint64_t seq = 1; seq <= 1500; ++seq) {
    for (float& value : vector) value = static_cast<float>(random());
    auto batch = PointBatch(*store, seq);
    batch->PutVector(static_cast<Slot>(seq), VectorOrdinal{1}, vector);
    std::vector<std::unique_ptr<ShardBatch>> batches;
    batches.push_back(std::move(batch));
    ASSERT_THAT(store->Commit(std::move(batches), Durability::kBuffered), IsOk());
  }
  const uint64_t full_bytes = store->GetUsage().disk_bytes;
  EXPECT_GT(full_bytes, 1500u * 4096 * 4);
  EXPECT_GT(store->GetUsage().memory_bytes, 0u);
  ASSERT_THAT(store->DropShard(kShard), IsOk());
  for (int i = 0; i < 200 && store->GetUsage().disk_bytes > full_bytes / 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_LT(store->GetUsage().disk_bytes, full_bytes / 10);
}

TEST(Store, TheOpLogKeepsItsLimitAndSaysWhatIsGone) {
  const TemporaryDirectory dir;
  StoreOptions options = OptionsFor(dir.path());
  options.max_op_records = 20;
  auto store = OpenOrDie(options);
  for (uint64_t seq = 1; seq <= 22; ++seq) {
    ASSERT_THAT(CommitPoint(*store, seq, Durability::kBuffered), IsOk());
  }
  EXPECT_EQ(OpSeqs(*store).size(), 22u);
  ASSERT_THAT(CommitPoint(*store, 23, Durability::kBuffered), IsOk());
  const auto none = [](Position, std::span<const Op>) { return absl::OkStatus(); };
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(store->ForEachOps(kShard, {}, none), FailsWith(StatusCode::kOutOfRange, "{1, 3}"));
    EXPECT_THAT(store->ForEachOps(kShard, {.epoch = 1, .seq = 2}, none),
                FailsWith(StatusCode::kOutOfRange, "trimmed"));
    const std::vector<uint64_t> kept = OpSeqs(*store, {.epoch = 1, .seq = 3});
    EXPECT_EQ(kept.size(), 20u);
    EXPECT_EQ(kept.front(), 4u);
    store.reset();
    store = OpenOrDie(options);
  }
  // Another epoch counts on.
  for (uint64_t seq = 1; seq <= 100; ++seq) {
    auto batch = store->NewBatch(kShard);
    batch->AppendOps({.epoch = 2, .seq = seq}, {});
    std::vector<std::unique_ptr<ShardBatch>> batches;
    batches.push_back(std::move(batch));
    ASSERT_THAT(store->Commit(std::move(batches), Durability::kBuffered), IsOk());
  }
  const std::vector<uint64_t> kept = OpSeqs(*store, {.epoch = 2, .seq = 85});
  EXPECT_EQ(kept.size(), 15u);
  EXPECT_THAT(store->ForEachOps(kShard, {.epoch = 2, .seq = 50}, none),
              FailsWith(StatusCode::kOutOfRange, "trimmed"));
}

// Trimming read the records that it deleted; one that was damaged failed the write, and with it
// every later write of the store.
TEST(Store, ADamagedOpLogRecordDoesNotEndTheWrites) {
  const TemporaryDirectory dir;
  StoreOptions options = OptionsFor(dir.path());
  options.max_op_records = 20;
  auto store = OpenOrDie(options);
  for (uint64_t seq = 1; seq <= 22; ++seq) {
    ASSERT_THAT(CommitPoint(*store, seq, Durability::kBuffered), IsOk());
  }
  store.reset();
  PutBehindTheStore(dir.path(), ColumnFamily::kOps, OpsKey(kShard, {.epoch = 1, .seq = 2}) + "x",
                    "");
  store = OpenOrDie(options);
  for (uint64_t seq = 23; seq <= 30; ++seq) {
    ASSERT_THAT(CommitPoint(*store, seq, Durability::kBuffered), IsOk());
  }
  EXPECT_EQ(OpSeqs(*store, {.epoch = 1, .seq = 9}).front(), 10u);
}

TEST(Store, OpsComeBackAsTheyWereWritten) {
  const TemporaryDirectory dir;
  const auto store = OpenOrDie(dir.path());
  const std::vector<Op> ops = {{.kind = OpKind::kDelete, .id = *PointId::Parse("x"), .slot = 4},
                               {.kind = OpKind::kUpsert, .id = PointId(9), .slot = 5}};
  auto batch = store->NewBatch(kShard);
  batch->AppendOps({.epoch = 3, .seq = 4}, ops);
  std::vector<std::unique_ptr<ShardBatch>> batches;
  batches.push_back(std::move(batch));
  ASSERT_THAT(store->Commit(std::move(batches), Durability::kDurable), IsOk());
  int records = 0;
  EXPECT_THAT(store->ForEachOps(kShard, {},
                                [&](Position position, std::span<const Op> read) {
                                  ++records;
                                  EXPECT_EQ(position, (Position{.epoch = 3, .seq = 4}));
                                  EXPECT_EQ(read.size(), 2u);
                                  EXPECT_EQ(read[0].kind, OpKind::kDelete);
                                  EXPECT_EQ(read[0].id, *PointId::Parse("x"));
                                  EXPECT_EQ(read[1].slot, 5u);
                                  return absl::OkStatus();
                                }),
              IsOk());
  EXPECT_EQ(records, 1);
}

TEST(Store, NothingIsLoggedIntoTheDataDirectory) {
  const TemporaryDirectory dir;
  const auto store = OpenOrDie(dir.path());
  EXPECT_THAT(CommitPoint(*store, 1), IsOk());
  for (const auto& entry : std::filesystem::directory_iterator(dir / "rocksdb")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("LOG")) << entry.path();
  }
}

}  // namespace
}  // namespace vettore
