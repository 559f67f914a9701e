// How much one write may delete, and what is read and kept for it.
#include "engine/write_planner.h"

#include <algorithm>

#include "engine/empty_store.h"
#include "engine/test_database.h"
#include "types/limits.h"

namespace vettore {
namespace {

class UniformStore final : public EmptyStore {
 public:
  explicit UniformStore(const Json& payload) : payload_(EncodeCbor(payload)) {}
  absl::StatusOr<std::vector<std::optional<PointRecord>>> GetPoints(
      ShardKey, std::span<const Slot> slots) const override {
    largest_read = std::max(largest_read, slots.size());
    PointRecord record;
    record.payload = payload_;
    return std::vector<std::optional<PointRecord>>(slots.size(), record);
  }
  mutable size_t largest_read = 0;

 private:
  const std::string payload_;
};

// A filter that matched everything had every payload of the collection read and kept at once.
TEST(WritePlanner, DeleteByFilterIsBoundedAndReadsABlockAtATime) {
  CollectionConfig config;
  config.payload_indexes.push_back({.field = "a.tag", .kind = PayloadIndexKind::kKeyword});
  const Json payload = {{"a", {{"tag", "x"}, {"other", 1}}}, {"text", "much more"}};
  const auto store = std::make_shared<UniformStore>(payload);
  const auto shard = *Shard::Make(store, {.key = {.collection = 1}, .config = config, .epoch = 1});
  absl::MutexLock gate(&shard->commit_gate);
  absl::MutexLock state(&shard->state_mutex);
  for (Slot slot = 0; slot <= limits::kDeletePoints; ++slot) {
    shard->ids.Insert(slot, PointId(slot));
    shard->payloads->Add(slot, payload);
  }

  const CancelToken never;
  PreparedWrite all;
  all.delete_filter = Equals("a.tag", std::string("x"));
  const absl::Status refused = WritePlanner(*shard).Plan(all, 0, never).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused.message(),
            "filter: 100001 points to delete, at most 100000 in one atomic write; narrow the "
            "filter, or delete the collection");
  EXPECT_EQ(store->largest_read, 0U);

  shard->payloads->Remove(0, payload);
  shard->ids.Erase(0);
  const auto planned = WritePlanner(*shard).Plan(all, 0, never);
  ASSERT_TRUE(planned.ok()) << planned.status();
  EXPECT_EQ(planned->deletes.size(), limits::kDeletePoints);
  EXPECT_EQ(planned->deletes[7].old_payload, (Json{{"a.tag", "x"}}));
  EXPECT_GT(store->largest_read, 0U);
  EXPECT_LE(store->largest_read, 1'000U);
}

}  // namespace
}  // namespace vettore
