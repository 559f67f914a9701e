// What a write leaves behind when memory runs out under it.
#include "engine/writer.h"

#include "engine/empty_store.h"
#include "engine/scarce_memory.h"
#include "engine/test_database.h"

namespace vettore {
namespace {

class CountingStore final : public EmptyStore {
 public:
  absl::Status Commit(std::vector<std::unique_ptr<ShardBatch>>, Durability) override {
    ++commits;
    return absl::OkStatus();
  }
  int commits = 0;
};

PreparedWrite PreparedUpsert(std::vector<PointId> ids, const CollectionConfig& config) {
  WriteRequest request;
  for (const PointId& id : ids) {
    request.upserts.push_back(MakePoint(id, {1, 0}, {{"text", "one that is not short"}}));
  }
  request.producer =
      ProducerTag{.producer = "the loader of " + ids.front().ToString(), .seq = ids.size()};
  return *PrepareWrite(std::move(request), config);
}

// A throw under the leader left the queue locked and led for good: every later write hung.
TEST(Writer, MemoryMayRunOutAtAnyPointOfAWrite) {
  if (!CanMakeMemoryScarce()) GTEST_SKIP() << "operator new is the sanitizer's";
  // Without payload indexes, no Json is kept: the library allocates in its destructor.
  const CollectionConfig config = OneVector(2, Metric::kL2, FlatConfig{});
  const CancelToken never;
  int refused = 0;
  int not_applied = 0;
  bool ran_out = true;
  for (size_t limit = 0; ran_out; ++limit) {
    SCOPED_TRACE(limit);
    const auto store = std::make_shared<CountingStore>();
    const auto shard =
        *Shard::Make(store, {.key = {.collection = 1}, .config = config, .epoch = 1});
    Writer writer(*shard, absl::Now);
    // Their growth is not tried: absl's hash tables do not survive one that fails.
    for (const uint64_t id : {1, 2, 3, 4}) {
      ASSERT_TRUE(writer.Write(PreparedUpsert(Numbers({id}), config), never).ok());
    }
    ASSERT_TRUE(writer.Write(PreparedUpsert(Numbers({1, 2, 3, 4}), config), never).ok());

    PreparedWrite write = PreparedUpsert(Numbers({5, 1, 2}), config);
    const absl::StatusOr<WriteResult> result = [&] {
      const ScarceMemory scarce(limit);
      auto written = writer.Write(std::move(write), never);
      ran_out = scarce.ran_out();
      return written;
    }();
    const auto next = writer.Write(PreparedUpsert(Numbers({6}), config), never);

    absl::ReaderMutexLock state(&shard->state_mutex);
    EXPECT_FALSE(shard->in_flight.Touch(std::vector<Slot>{0, 1, 2, 3}));
    if (!result.ok()) {
      ++refused;
      EXPECT_EQ(result.status().code(), absl::StatusCode::kResourceExhausted);
      EXPECT_TRUE(next.ok()) << next.status();
      EXPECT_EQ(store->commits, 6);
      EXPECT_EQ(shard->ids.Find(PointId(5)), kNoSlot);
    } else if (!shard->failure.ok()) {
      ++not_applied;
      EXPECT_EQ(shard->failure.code(), absl::StatusCode::kUnavailable);
      EXPECT_EQ(next.status(), shard->failure);
      EXPECT_EQ(store->commits, 6);
      EXPECT_EQ(shard->applied.Get(), result->position);
    } else {
      EXPECT_TRUE(next.ok()) << next.status();
      EXPECT_EQ(shard->ids.size(), 6U);
    }
  }
  EXPECT_GT(refused, 5);
  EXPECT_GT(not_applied, 1);
}

}  // namespace
}  // namespace vettore
