// Loading ends in words where the store or the memory do not hold.
#include "engine/shard_load.h"

#include <new>

#include "engine/empty_store.h"
#include "engine/local_database.h"
#include "engine/test_database.h"
#include "gmock/gmock.h"

namespace vettore {
namespace {

using ::testing::HasSubstr;

CollectionConfig SmallConfig() { return OneVector(2, Metric::kL2, FlatConfig{}); }

// Holds two collections, and five writes of each.
class LoadedStore : public EmptyStore {
 public:
  absl::StatusOr<Position> AppliedPosition(ShardKey) const override {
    return Position{.epoch = 1, .seq = 5};
  }
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ListMeta(
      std::string_view prefix) const override {
    std::vector<std::pair<std::string, std::string>> records;
    if (prefix != "catalog/collection/") return records;
    for (const int id : {1, 2}) {
      const Json record = {
          {"id", id}, {"epoch", 1}, {"created_unix_ms", 0}, {"config", ToJson(SmallConfig())}};
      records.emplace_back("catalog/collection/c" + std::to_string(id), record.dump());
    }
    return records;
  }
};

absl::Status LoadStatus(std::shared_ptr<Store> store) {
  return LoadShard(std::move(store),
                   {.key = {.collection = 1}, .config = SmallConfig(), .epoch = 1}, absl::Now())
      .status();
}

class StoreWithoutMemory final : public LoadedStore {
 public:
  enum class Place { kPoints, kVectors };
  explicit StoreWithoutMemory(Place place) : place_(place) {}
  absl::Status ForEachPoint(
      ShardKey, const std::function<absl::Status(Slot, const PointRecord&)>&) const override {
    if (place_ == Place::kPoints) throw std::bad_alloc();
    return absl::OkStatus();
  }
  absl::Status ForEachVector(
      ShardKey, VectorOrdinal,
      const std::function<absl::Status(Slot, std::span<const float>)>&) const override {
    if (place_ == Place::kVectors) throw std::bad_alloc();
    return absl::OkStatus();
  }

 private:
  const Place place_;
};

// A throw in a thread that loads ended the process.
TEST(ShardLoad, WantOfMemoryIsAStatus) {
  using Place = StoreWithoutMemory::Place;
  for (const Place place : {Place::kPoints, Place::kVectors}) {
    const auto store = std::make_shared<StoreWithoutMemory>(place);
    EXPECT_EQ(LoadStatus(store).code(), absl::StatusCode::kResourceExhausted);
    LocalDatabase database(store, DatabaseOptions());
    ASSERT_TRUE(database.Load().ok());
    for (const char* name : {"c1", "c2"}) {
      EXPECT_EQ(Count(**database.Get(NameFor(name))).status().code(),
                absl::StatusCode::kResourceExhausted);
    }
  }
}

class StoreWithSlot final : public LoadedStore {
 public:
  explicit StoreWithSlot(Slot point, Slot vector) : point_(point), vector_(vector) {}
  absl::Status ForEachPoint(
      ShardKey, const std::function<absl::Status(Slot, const PointRecord&)>& visit) const override {
    return visit(point_, {.id = PointId(1), .version = 1, .payload = ""});
  }
  absl::Status ForEachVector(
      ShardKey, VectorOrdinal,
      const std::function<absl::Status(Slot, std::span<const float>)>& visit) const override {
    return visit(vector_, std::vector<float>{1, 2});
  }

 private:
  const Slot point_;
  const Slot vector_;
};

// A damaged key near 2^32 had the tables grow to 170 GB.
TEST(ShardLoad, SlotThatTheWritesCannotHaveTakenIsDataLoss) {
  EXPECT_TRUE(LoadStatus(std::make_shared<StoreWithSlot>(49'999, 49'999)).ok());
  for (const auto& [point, vector] : {std::pair<Slot, Slot>{50'000, 0}, {0, 4'000'000'000}}) {
    const absl::Status status = LoadStatus(std::make_shared<StoreWithSlot>(point, vector));
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr("more than 5 writes can have taken"));
  }
}

}  // namespace
}  // namespace vettore
