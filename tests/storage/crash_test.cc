#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "storage/power_cut.h"
#include "storage/rocks_store.h"
#include "storage/store_testing.h"

namespace vettore {
namespace {

using namespace storage_testing;  // NOLINT: the vocabulary of these tests.
using absl::StatusCode;

constexpr uint32_t kWriters = 3;  // One shard each.

ShardKey ShardOf(uint32_t writer) { return {.collection = 20 + writer, .shard = 0}; }

// Small buffers, so that flushes and compactions are under way at the crash.
StoreOptions CrashOptions(const std::filesystem::path& data_dir) {
  StoreOptions options = OptionsFor(data_dir);
  options.write_buffer_bytes = 128 << 10;
  options.max_op_records = 1'000'000;
  return options;
}

std::unique_ptr<Store> OpenOn(rocksdb::Env& env, const StoreOptions& options) {
  auto store = RocksStore::Open(options, &env);
  EXPECT_THAT(store.status(), IsOk());
  return store.ok() ? *std::move(store) : nullptr;
}

// Writes until it fails; reports each acknowledgement.
void WriteUntilFailure(Store& store, uint32_t writer, uint64_t first,
                       const std::function<void(uint64_t, Durability)>& acknowledged) {
  for (uint64_t seq = first;; ++seq) {
    const Durability durability =
        seq % (3 + writer) == 0 ? Durability::kDurable : Durability::kBuffered;
    if (!CommitPoint(store, seq, durability, ShardOf(writer)).ok()) return;
    acknowledged(seq, durability);
    std::this_thread::sleep_for(std::chrono::microseconds(200));  // Time passes, not gigabytes.
  }
}

// Checks that the writer's points are 1..n without a gap, whole, and returns n.
uint64_t LastOf(const Store& store, uint32_t writer, uint64_t at_most) {
  const std::vector<uint64_t> whole = WholePoints(store, at_most, ShardOf(writer));
  EXPECT_TRUE(whole.empty() || whole.back() == whole.size());
  return whole.size();
}

TEST(CrashChild, DISABLED_WritesUntilItIsKilled) {
  const auto store = OpenOrDie(CrashOptions(ChildDataDir()));
  std::vector<std::thread> threads;
  for (uint32_t writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      const uint64_t first = store->AppliedPosition(ShardOf(writer))->seq + 1;
      WriteUntilFailure(*store, writer, first, [&](uint64_t seq, Durability) {
        TellParent(std::to_string(writer) + " " + std::to_string(seq));
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Crash, AKilledProcessLosesNothingItAcknowledged) {
  const TemporaryDirectory dir;
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  std::map<uint32_t, uint64_t> acknowledged;
  for (int round = 0; round < 4; ++round) {
    {
      ChildTest child("CrashChild.DISABLED_WritesUntilItIsKilled", dir.path());
      const auto read_one = [&] {
        std::istringstream line(child.ReadLine());
        uint32_t writer = 0;
        uint64_t seq = 0;
        if (!(line >> writer >> seq)) return false;
        acknowledged[writer] = std::max(acknowledged[writer], seq);
        return true;
      };
      ASSERT_TRUE(read_one());
      for (unsigned i = random() % 1000; i > 0; --i) ASSERT_TRUE(read_one());
      child.Kill();
      while (read_one()) {  // What it said before it died.
      }
    }
    const auto store = OpenOrDie(CrashOptions(dir.path()));
    for (uint32_t writer = 0; writer < kWriters; ++writer) {
      EXPECT_GE(LastOf(*store, writer, acknowledged[writer] + 100), acknowledged[writer]);
    }
  }
}

// Kill -9 cannot see a missing fsync: the page cache survives it.
TEST(Crash, APowerCutLosesNothingDurableAndAtMostATailOfWhatWasBuffered) {
  const TemporaryDirectory dir;
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  std::map<uint32_t, uint64_t> last;
  for (int round = 0; round < 12; ++round) {
    const auto files = std::make_shared<PowerCutFileSystem>();
    const auto env = rocksdb::NewCompositeEnv(files);
    std::array<std::atomic<uint64_t>, kWriters> durable{};
    std::array<std::atomic<uint64_t>, kWriters> acknowledged{};
    {
      const auto store = OpenOn(*env, CrashOptions(dir.path()));
      ASSERT_NE(store, nullptr) << "round " << round;
      std::vector<std::thread> threads;
      for (uint32_t writer = 0; writer < kWriters; ++writer) {
        EXPECT_EQ(LastOf(*store, writer, last[writer] + 100), last[writer]);
        threads.emplace_back([&, writer] {
          WriteUntilFailure(*store, writer, last[writer] + 1, [&](uint64_t seq, Durability how) {
            acknowledged[writer] = seq;
            if (how == Durability::kDurable) durable[writer] = seq;
          });
        });
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 200));
      files->Cut();
      for (std::thread& thread : threads) thread.join();
    }
    files->LoseUnsynced(
        random, round % 2 ? PowerCutFileSystem::Rest::kGarbage : PowerCutFileSystem::Rest::kLost);
    const auto store = OpenOrDie(CrashOptions(dir.path()));
    for (uint32_t writer = 0; writer < kWriters; ++writer) {
      last[writer] =
          LastOf(*store, writer, std::max(last[writer], acknowledged[writer].load()) + 100);
      EXPECT_GE(last[writer], durable[writer].load()) << "round " << round;
    }
  }
}

TEST(Crash, BufferedWritesAreSyncedWithinAFewTenthsOfASecond) {
  const TemporaryDirectory dir;
  const auto files = std::make_shared<PowerCutFileSystem>();
  const auto env = rocksdb::NewCompositeEnv(files);
  auto store = OpenOn(*env, OptionsFor(dir.path()));
  ASSERT_NE(store, nullptr);
  for (uint64_t seq = 1; seq <= 10; ++seq) {
    ASSERT_THAT(CommitPoint(*store, seq, Durability::kBuffered), IsOk());
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  files->Cut();
  store.reset();
  std::mt19937 random(1);
  files->LoseUnsynced(random, PowerCutFileSystem::Rest::kLost);
  EXPECT_EQ(WholePoints(*OpenOrDie(dir.path()), 10).size(), 10u);
}

TEST(Crash, DurableWritesAreSyncedAndThoseThatWaitTogetherShareASync) {
  const TemporaryDirectory dir;
  const auto files = std::make_shared<PowerCutFileSystem>();
  const auto env = rocksdb::NewCompositeEnv(files);
  const auto store = OpenOn(*env, OptionsFor(dir.path()));
  ASSERT_NE(store, nullptr);
  uint64_t before = files->syncs();
  for (uint64_t seq = 1; seq <= 20; ++seq) ASSERT_THAT(CommitPoint(*store, seq), IsOk());
  EXPECT_GE(files->syncs() - before, 20u);

  files->SlowSyncs(absl::Milliseconds(5));
  before = files->syncs();
  std::vector<std::thread> threads;
  for (uint32_t writer = 0; writer < 8; ++writer) {
    threads.emplace_back([&, writer] {
      for (uint64_t seq = 1; seq <= 20; ++seq) {
        EXPECT_THAT(CommitPoint(*store, seq, Durability::kDurable, ShardOf(writer)), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LT(files->syncs() - before, 80u);  // Of 160 commits.
}

// After a failed fsync it is not known what is on disk: going on would build on sand.
TEST(Crash, AfterAFailedSyncEveryCommitIsUnavailableUntilReopened) {
  const TemporaryDirectory dir;
  const auto files = std::make_shared<PowerCutFileSystem>();
  const auto env = rocksdb::NewCompositeEnv(files);
  auto store = OpenOn(*env, OptionsFor(dir.path()));
  ASSERT_NE(store, nullptr);
  ASSERT_THAT(CommitPoint(*store, 1), IsOk());
  files->FailSyncs();
  EXPECT_THAT(CommitPoint(*store, 2), FailsWith(StatusCode::kUnavailable, "fsync fails"));
  EXPECT_THAT(CommitPoint(*store, 2, Durability::kBuffered),
              FailsWith(StatusCode::kUnavailable, "opened again"));
  EXPECT_THAT(store->ChangeMeta(std::vector<Store::MetaChange>{{"k", std::nullopt, "v"}}),
              FailsWith(StatusCode::kUnavailable, "opened again"));
  EXPECT_THAT(store->DropShard(kShard), FailsWith(StatusCode::kUnavailable, "opened again"));
  EXPECT_EQ(store->GetPoints(kShard, std::vector<Slot>{1})->at(0)->payload, "p1");  // Reads go on.
  store.reset();
  store = OpenOrDie(dir.path());
  const uint64_t last = WholePoints(*store, 2).size();
  EXPECT_GE(last, 1u);
  EXPECT_THAT(CommitPoint(*store, last + 1), IsOk());
}

TEST(Crash, AFailedBackgroundSyncStopsWritesToo) {
  const TemporaryDirectory dir;
  const auto files = std::make_shared<PowerCutFileSystem>();
  const auto env = rocksdb::NewCompositeEnv(files);
  const auto store = OpenOn(*env, OptionsFor(dir.path()));
  ASSERT_NE(store, nullptr);
  files->FailSyncs();
  ASSERT_THAT(CommitPoint(*store, 1, Durability::kBuffered), IsOk());
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  EXPECT_THAT(CommitPoint(*store, 2, Durability::kBuffered),
              FailsWith(StatusCode::kUnavailable, "opened again"));
}

}  // namespace
}  // namespace vettore
