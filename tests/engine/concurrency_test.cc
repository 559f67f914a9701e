// Many writers and readers at once: group commit, visibility after acknowledgement, and one state a
// read.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "engine/test_database.h"
#include "gmock/gmock.h"

namespace vettore {
namespace {

class ConcurrencyTest : public ::testing::Test {
 protected:
  std::shared_ptr<Collection> Create(const IndexConfig& index) {
    CollectionConfig config = OneVector(1, Metric::kL2, index);
    config.payload_indexes.push_back({.field = "indexed", .kind = PayloadIndexKind::kInteger});
    return *database_->Create(NameFor("docs"), config);
  }

  TestDatabase database_;
};

TEST_F(ConcurrencyTest, AcknowledgedWritesAreAllThereAndTheirSequencesAreDense) {
  constexpr uint64_t kThreads = 16;
  constexpr uint64_t kWrites = 40;
  auto collection = Create(FlatConfig{});
  std::mutex mutex;
  std::set<uint64_t> sequences;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < kWrites; ++i) {
        WriteRequest request = Upsert({MakePoint(PointId(t * kWrites + i), {1}, {{"n", i}})});
        if (i % 2 == 0) request.durability = Durability::kDurable;
        const auto written = Write(*collection, request);
        ASSERT_TRUE(written.ok()) << written.status();
        const std::lock_guard lock(mutex);
        EXPECT_TRUE(sequences.insert(written->position.seq).second);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sequences.size(), kThreads * kWrites);
  EXPECT_EQ(*sequences.begin(), 1U);
  EXPECT_EQ(*sequences.rbegin(), kThreads * kWrites);
  EXPECT_EQ(*Count(*collection), kThreads * kWrites);
  collection.reset();
  database_.Reopen();
  collection = *database_->Get(NameFor("docs"));
  EXPECT_EQ(*Count(*collection), kThreads * kWrites);
  EXPECT_EQ(collection->Status().position.seq, kThreads * kWrites);
}

// Writes of the same ids, queued together, must each see the one before.
TEST_F(ConcurrencyTest, WritersOfTheSameIdsLeaveOnePointEach) {
  auto collection = Create(FlatConfig{});
  std::vector<std::thread> threads;
  std::atomic<int64_t> alive = 0;  // Inserted less deleted, as the answers say.
  for (int t = 0; t < 12; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 60; ++i) {
        const PointId id(static_cast<uint64_t>((i + t) % 5));
        switch ((i + t) % 3) {
          case 0:
            alive -= static_cast<int64_t>(Write(*collection, Delete({id}))->deleted);
            break;
          case 1: {
            const auto gone = Write(*collection, DeleteWhere(Where(HasId{.ids = {id}})));
            alive -= static_cast<int64_t>(gone->deleted);
            break;
          }
          default:
            EXPECT_TRUE(Write(*collection, Upsert({MakePoint(id, {1}, {{"indexed", t}})})).ok());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ScrollRequest all;
  const auto page = Scroll(*collection, all);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->points.size(), *Count(*collection));
  // Index, payload index and store agree about what is there.
  SearchRequest search;
  search.query = {1};
  search.k = 100;
  EXPECT_EQ(IdsOf(*Search(*collection, search)), IdsOf(*page));
  uint64_t indexed = 0;
  for (int t = 0; t < 12; ++t) indexed += *Count(*collection, Equals("indexed", int64_t{t}));
  EXPECT_EQ(indexed, page->points.size());
  collection.reset();
  database_.Reopen();
  EXPECT_EQ(*Count(**database_->Get(NameFor("docs"))), page->points.size());
}

TEST_F(ConcurrencyTest, OneOfManyIdenticalRetriesIsMade) {
  auto collection = Create(FlatConfig{});
  std::vector<std::thread> threads;
  std::atomic<int> made = 0;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&] {
      WriteRequest request = Upsert({MakePoint(PointId(1), {1})});
      request.producer = ProducerTag{.producer = "p", .seq = 1};
      const auto written = Write(*collection, request);
      ASSERT_TRUE(written.ok()) << written.status();
      EXPECT_EQ(written->position.seq, 1U);
      if (!written->duplicate) ++made;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
}

TEST_F(ConcurrencyTest, EveryThreadReadsItsOwnWrites) {
  auto collection = Create(HnswConfig{});
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < 60; ++i) {
        const PointId id(t * 1'000 + i % 7);
        const float place = static_cast<float>(t * 1'000 + i);
        ASSERT_TRUE(Write(*collection, Upsert({MakePoint(id, {place}, {{"i", i}})})).ok());
        SearchRequest search;
        search.query = {place};
        search.k = 1;
        const auto found = Search(*collection, search);
        ASSERT_TRUE(found.ok()) << found.status();
        ASSERT_EQ(found->points.size(), 1U);
        EXPECT_EQ(found->points[0].point.id, id);
        EXPECT_EQ(found->points[0].point.payload["i"], i);
        if (i % 5 == 4) {
          ASSERT_TRUE(Write(*collection, Delete({id})).ok());
          EXPECT_FALSE((*Get(*collection, {id}))[0].has_value());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Each write replaces a block of points whole: half are updated, half deleted and written under
// other ids. A read that mixed two states would see a block of another size or of two generations.
class OneStateTest : public ConcurrencyTest {
 protected:
  static constexpr uint64_t kBlock = 20;

  static std::vector<PointId> IdsOfGeneration(uint64_t generation) {
    std::vector<PointId> ids;
    for (uint64_t i = 0; i < kBlock; ++i) {
      ids.emplace_back(i % 2 == 0 ? i : 1'000 * (1 + generation % 2) + i);
    }
    return ids;
  }

  static WriteRequest Replace(uint64_t generation) {
    WriteRequest request = Delete(IdsOfGeneration(generation + 1));
    for (const PointId& id : IdsOfGeneration(generation)) {
      request.upserts.push_back(
          MakePoint(id, {static_cast<float>(generation % 100)},
                    {{"block", 1}, {"indexed", 1}, {"generation", generation}}));
    }
    return request;
  }

  static void ExpectOneGeneration(const std::vector<PointRead>& points) {
    ASSERT_EQ(points.size(), kBlock);
    const uint64_t generation = points[0].payload["generation"].get<uint64_t>();
    std::vector<PointId> ids;
    for (const PointRead& point : points) {
      EXPECT_EQ(point.payload["generation"], generation);
      EXPECT_EQ(point.version, generation);
      EXPECT_EQ(point.vectors.at(0).values.at(0), static_cast<float>(generation % 100));
      ids.push_back(point.id);
    }
    EXPECT_THAT(ids, ::testing::UnorderedElementsAreArray(IdsOfGeneration(generation)));
  }

  static void CheckSearch(const Collection& collection, const std::optional<Filter>& filter) {
    SearchRequest search;
    search.query = {0};
    search.k = 2 * kBlock;
    search.filter = filter;
    search.selection.vectors = true;
    const auto result = Search(collection, search);
    ASSERT_TRUE(result.ok()) << result.status();
    std::vector<PointRead> points;
    for (const ScoredPoint& scored : result->points) {
      points.push_back(scored.point);
      EXPECT_EQ(scored.score, scored.point.vectors.at(0).values.at(0));
    }
    ExpectOneGeneration(points);
  }

  static void CheckReads(const Collection& collection, int i) {
    const Filter scanned = Equals("block", int64_t{1});
    const Filter indexed = Equals("indexed", int64_t{1});
    switch (i % 6) {
      case 0:
        return CheckSearch(collection, std::nullopt);
      case 1:
        return CheckSearch(collection, scanned);
      case 2:
        return CheckSearch(collection, indexed);
      case 3: {
        const auto count = Count(collection, scanned);
        ASSERT_TRUE(count.ok()) << count.status();
        EXPECT_EQ(*count, kBlock);
        return;
      }
      default: {
        ScrollRequest scroll;
        scroll.selection.vectors = true;
        if (i % 6 == 4) scroll.filter = scanned;
        const auto page = Scroll(collection, scroll);
        ASSERT_TRUE(page.ok()) << page.status();
        ExpectOneGeneration(page->points);
      }
    }
  }
};

TEST_F(OneStateTest, NoReadMixesTwoStates) {
  auto collection = Create(HnswConfig{});
  ASSERT_TRUE(Write(*collection, Replace(1)).ok());
  std::atomic<bool> stops = false;
  std::vector<std::thread> readers;
  std::atomic<int> reads = 0;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&, t] {
      for (int i = t; !stops && !HasFailure(); ++i, ++reads) CheckReads(*collection, i);
    });
  }
  const absl::Time end = absl::Now() + absl::Seconds(4);
  uint64_t generation = 1;
  while (absl::Now() < end && !HasFailure()) {
    WriteRequest request = Replace(++generation);
    if (generation % 3 == 0) request.durability = Durability::kDurable;
    ASSERT_TRUE(Write(*collection, request).ok());
  }
  stops = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_GT(generation, 20U);
  EXPECT_GT(reads, 20);
}

TEST_F(ConcurrencyTest, DropWhileOthersWriteAndReadEndsTheirCalls) {
  auto collection = Create(FlatConfig{});
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      absl::Status status;
      for (uint64_t i = 0; status.ok(); ++i) {
        status = t % 2 == 0 ? Write(*collection, Upsert({MakePoint(PointId(i), {1})})).status()
                            : Scroll(*collection, {}).status();
      }
      EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
    });
  }
  absl::SleepFor(absl::Milliseconds(100));
  EXPECT_TRUE(database_->Drop(NameFor("docs")).ok());
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace vettore
