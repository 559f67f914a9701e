// The small tables of a shard: ids and slots, producers, writes in flight, names.
#include "engine/applied_position.h"
#include "engine/id_table.h"
#include "engine/in_flight_writes.h"
#include "engine/name_suggestion.h"
#include "engine/producer_table.h"
#include "engine/test_database.h"

namespace vettore {
namespace {

TEST(IdTable, FreedSlotIsReusedAfterTheSlotsThatWereFreeBefore) {
  IdTable table;
  for (uint64_t i = 0; i < 4; ++i) table.Insert(table.Unused(0), PointId(i));
  table.Erase(2);
  table.Erase(0);
  EXPECT_EQ(table.Unused(0), 2U);
  EXPECT_EQ(table.Unused(1), 0U);
  EXPECT_EQ(table.Unused(2), 4U);
  // A slot freed between planning and applying does not shift what was planned.
  table.Erase(1);
  table.Insert(2, PointId(10));
  table.Insert(0, PointId(11));
  EXPECT_EQ(table.Unused(0), 1U);
  EXPECT_EQ(table.Find(PointId(2)), kNoSlot);
  EXPECT_EQ(table.Find(PointId(10)), 2U);
  EXPECT_EQ(table.size(), 3U);
}

TEST(IdTable, TextAndNumberOfTheSameDigitsAreDifferentIds) {
  IdTable table;
  table.Insert(0, PointId(7));
  EXPECT_EQ(table.Find(TextId("7")), kNoSlot);
  table.Insert(1, TextId("7"));
  EXPECT_EQ(table.Find(PointId(7)), 0U);
  EXPECT_EQ(table.Find(TextId("7")), 1U);
}

TEST(IdTable, LoadedGapsAreUnusedAndDisorderIsRefused) {
  IdTable table;
  EXPECT_TRUE(table.Load(1, PointId(5)));
  EXPECT_TRUE(table.Load(4, PointId(6)));
  EXPECT_FALSE(table.Load(3, PointId(7)));
  EXPECT_FALSE(table.Load(6, PointId(5)));
  EXPECT_EQ(table.Unused(0), 0U);
  EXPECT_EQ(table.Unused(1), 2U);
  EXPECT_EQ(table.Unused(2), 3U);
  EXPECT_EQ(table.Unused(3), 5U);
  EXPECT_EQ(table.live().Count(), 2U);
}

ProducerRecord RecordAt(uint64_t seq, absl::Time time) {
  return {.seq = seq, .position = {.epoch = 1, .seq = seq}, .unix_ms = absl::ToUnixMillis(time)};
}

TEST(ProducerTable, ThoseSilentLongestGoWhenItIsFull) {
  ProducerTable table;
  const absl::Time now = absl::Now();
  for (size_t i = 0; i < ProducerTable::kCapacity; ++i) {
    table.Put("p" + std::to_string(i), RecordAt(1, now));
  }
  table.Put("p0", RecordAt(2, now));
  EXPECT_TRUE(table.ToForget(0, now).empty());
  EXPECT_EQ(table.ToForget(2, now), (std::vector<std::string>{"p1", "p2"}));
  table.Erase("p1");
  table.Erase("unknown");
  EXPECT_EQ(table.size(), ProducerTable::kCapacity - 1);
  EXPECT_EQ(table.Find("p1", now), nullptr);
  EXPECT_EQ(table.Find("p0", now)->seq, 2U);
}

TEST(ProducerTable, TheExpiredGoAtOnce) {
  ProducerTable table;
  const absl::Time now = absl::Now();
  table.Put("old", RecordAt(1, now - absl::Hours(8 * 24)));
  table.Put("new", RecordAt(1, now));
  EXPECT_EQ(table.ToForget(0, now), std::vector<std::string>{"old"});
}

TEST(InFlightWrites, TouchOnlyWhatTheyReplaceOrDelete) {
  InFlightWrites writes;
  SlotBitmap slots;
  slots.Insert(9);
  const std::vector<Slot> touched = {3, 9};
  writes.Begin(touched, /*deletes=*/1);
  EXPECT_TRUE(writes.Touch(slots));
  EXPECT_TRUE(writes.Touch(std::vector<Slot>{1, 3}));
  EXPECT_FALSE(writes.Touch(std::vector<Slot>{1, 2}));
  EXPECT_TRUE(writes.Delete());
  writes.End();
  EXPECT_FALSE(writes.Touch(slots));
  EXPECT_FALSE(writes.Delete());
}

TEST(AppliedPosition, ClosedOneEndsItsWaits) {
  AppliedPosition applied({.epoch = 1, .seq = 4});
  EXPECT_TRUE(applied.WaitFor({.epoch = 1, .seq = 4}, {}).ok());
  applied.Close(absl::NotFoundError("gone"));
  EXPECT_EQ(applied.WaitFor({.epoch = 1, .seq = 5}, {}).code(), absl::StatusCode::kNotFound);
}

TEST(AppliedPosition, LongWaitEndsNamingBothPositions) {
  const AppliedPosition applied({.epoch = 1, .seq = 4}, absl::Milliseconds(20));
  const absl::Status status = applied.WaitFor({.epoch = 1, .seq = 5}, {});
  const CancelToken patient(absl::Now() + absl::Hours(1), {});
  EXPECT_EQ(applied.WaitFor({.epoch = 1, .seq = 5}, patient), status);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("{epoch 1, seq 5}"), absl::string_view::npos);
  EXPECT_NE(status.message().find("{epoch 1, seq 4}"), absl::string_view::npos);
}

TEST(SuggestName, OnlyWhatIsNear) {
  const std::vector<std::string> known = {"articles", "users", "a"};
  EXPECT_EQ(SuggestName("artcles", known), "articles");
  EXPECT_EQ(SuggestName("user", known), "users");
  EXPECT_EQ(SuggestName("xyz", known), std::nullopt);
  EXPECT_EQ(SuggestName("anything", {}), std::nullopt);
}

}  // namespace
}  // namespace vettore
