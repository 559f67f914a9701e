// Reads by id, in the order of ids, by filter; what they select and what they wait for.
#include <thread>

#include "engine/test_database.h"
#include "gmock/gmock.h"

namespace vettore {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReadTest : public ::testing::Test {
 protected:
  ReadTest() {
    collection_ = CreateShared(OneVector(1, Metric::kL2, FlatConfig{}));
    std::vector<PointWrite> points;
    for (uint64_t i = 0; i < 10; ++i) {
      points.push_back(MakePoint(PointId(9 - i), {static_cast<float>(9 - i)},
                                 {{"odd", (9 - i) % 2 == 1},
                                  {"author", {{"name", "n"}, {"age", 9 - i}}},
                                  {"a.b", "dotted"},
                                  {"text", "long"}}));
    }
    points.push_back(MakePoint(TextId("abc"), {100}));
    EXPECT_TRUE(Write(*collection_, Upsert(points)).ok());
  }

  std::shared_ptr<Collection> collection_;
};

TEST_F(ReadTest, GetAnswersInTheOrderAskedWithGapsAndRepeats) {
  const auto read = Get(*collection_, Numbers({7, 99, 3, 7}));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ((*read)[0]->id, PointId(7));
  EXPECT_FALSE((*read)[1].has_value());
  EXPECT_EQ((*read)[2]->id, PointId(3));
  EXPECT_EQ((*read)[3]->id, PointId(7));
  EXPECT_THAT((*read)[0]->vectors[0].values, ElementsAre(7));
}

TEST_F(ReadTest, SelectionKeepsPathsWhereTheyStand) {
  const std::vector<PointId> ids = Numbers({4});
  const auto select = [&](std::vector<std::string> fields) {
    Selection selection;
    selection.payload_fields = std::move(fields);
    return (*collection_->Get(ids, selection, {}, {}))[0]->payload;
  };
  EXPECT_EQ(select({"author.age"}), Json::parse(R"({"author":{"age":4}})"));
  EXPECT_EQ(select({"author.age", "author.name", "odd"}),
            Json::parse(R"({"author":{"age":4,"name":"n"},"odd":false})"));
  EXPECT_EQ(select({"author", "author.age"}), Json::parse(R"({"author":{"age":4,"name":"n"}})"));
  EXPECT_EQ(select({"a.b", "nothing", "author.nothing", "odd.deeper"}),
            Json::parse(R"({"a.b":"dotted"})"));
  Selection nothing;
  nothing.payload = false;
  const auto bare = *collection_->Get(ids, nothing, {}, {});
  EXPECT_TRUE(bare[0]->payload.is_null());
  EXPECT_TRUE(bare[0]->vectors.empty());
}

TEST_F(ReadTest, UnknownVectorInASelectionIsRefused) {
  Selection selection;
  selection.vectors = true;
  selection.vector_names = {"title"};
  const std::vector<PointId> ids = Numbers({4});
  const auto read = collection_->Get(ids, selection, {}, {});
  EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(read.status().message()), HasSubstr("vector 'title' does not exist"));
}

TEST_F(ReadTest, ScrollPagesThroughIdsNumbersFirst) {
  ScrollRequest request;
  request.limit = 4;
  const auto first = Scroll(*collection_, request);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(IdsOf(*first), Numbers({0, 1, 2, 3}));
  EXPECT_EQ(first->next, PointId(4));
  request.from = first->next;
  const auto second = Scroll(*collection_, request);
  EXPECT_EQ(IdsOf(*second), Numbers({4, 5, 6, 7}));
  request.from = second->next;
  const auto last = Scroll(*collection_, request);
  EXPECT_THAT(IdsOf(*last), ElementsAre(PointId(8), PointId(9), TextId("abc")));
  EXPECT_FALSE(last->next.has_value());
}

TEST_F(ReadTest, LastPageThatIsFullHasNoNext) {
  ScrollRequest request;
  request.limit = 11;
  const auto page = Scroll(*collection_, request);
  EXPECT_EQ(page->points.size(), 11U);
  EXPECT_FALSE(page->next.has_value());
}

TEST_F(ReadTest, ScrollWithFilterStartsAtAnIdThatNeedNotMatch) {
  ScrollRequest request;
  request.filter = Equals("odd", true);
  request.from = PointId(2);
  request.limit = 2;
  const auto page = Scroll(*collection_, request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(IdsOf(*page), Numbers({3, 5}));
  EXPECT_EQ(page->next, PointId(7));
}

TEST_F(ReadTest, CountsWithAndWithoutFilter) {
  EXPECT_EQ(*Count(*collection_), 11U);
  EXPECT_EQ(*Count(*collection_, Equals("odd", true)), 5U);
  EXPECT_EQ(
      *Count(*collection_,
             Where(FieldRange{.field = "author.age", .gt = {}, .gte = 3, .lt = 6, .lte = {}})),
      3U);
  EXPECT_EQ(*Count(*collection_, Where(HasId{.ids = Numbers({1, 2, 77})})), 2U);
}

TEST_F(ReadTest, LimitsAreNamed) {
  ScrollRequest request;
  for (const uint64_t limit : {uint64_t{0}, uint64_t{10'001}, UINT64_MAX}) {
    request.limit = limit;
    const auto page = Scroll(*collection_, request);
    EXPECT_EQ(page.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(page.status().message()), HasSubstr("limit: 1 to 10000"));
  }
  EXPECT_THAT(
      std::string(Get(*collection_, std::vector<PointId>(10'001, PointId(1))).status().message()),
      HasSubstr("ids: 10001 in one read, at most 10000"));
}

TEST_F(ReadTest, WhatIsMoreThanTheSelectionAdmitsIsRefusedBeforeItIsAllRead) {
  std::vector<PointWrite> points;
  for (uint64_t id = 100; id < 300; ++id) {
    points.push_back(
        MakePoint(PointId(id), {1}, {{"long", std::string(1'000, 'x')}, {"short", 1}}));
  }
  ASSERT_TRUE(Write(*collection_, Upsert(points)).ok());
  ScrollRequest request;
  request.limit = 200;
  request.from = PointId(100);
  request.selection.max_bytes = 100'000;
  const auto page = Scroll(*collection_, request);
  EXPECT_EQ(page.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(page.status().message()), HasSubstr("more than a reply of 100000 bytes"));
  // What is selected counts, not what is stored.
  request.selection.payload_fields = {"short"};
  EXPECT_TRUE(Scroll(*collection_, request).ok());
  request.selection.vectors = true;
  request.selection.max_bytes = 799;
  EXPECT_THAT(std::string(Scroll(*collection_, request).status().message()),
              HasSubstr("selection.vectors: 200 points with 1 floats"));
}

TEST_F(ReadTest, ReadWaitsForItsMinimumPosition) {
  const Position ahead{.epoch = collection_->Status().position.epoch, .seq = 2};
  std::thread writer([&] {
    absl::SleepFor(absl::Milliseconds(150));
    EXPECT_TRUE(Write(*collection_, Upsert({MakePoint(PointId(50), {50})})).ok());
  });
  const auto count = collection_->Count(std::nullopt, {.min_position = ahead}, {});
  writer.join();
  ASSERT_TRUE(count.ok()) << count.status();
  EXPECT_EQ(*count, 12U);
}

TEST_F(ReadTest, PositionThatDoesNotComeEndsWithTheDeadline) {
  const uint64_t epoch = collection_->Status().position.epoch;
  const CancelToken soon(absl::Now() + absl::Milliseconds(100), {});
  const auto count =
      collection_->Count(std::nullopt, {.min_position = Position{.epoch = epoch, .seq = 9}}, soon);
  EXPECT_EQ(count.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ReadTest, PositionOfAnotherEpochIsRefused) {
  const uint64_t other = collection_->Status().position.epoch + 1;
  const auto count =
      collection_->Count(std::nullopt, {.min_position = Position{.epoch = other, .seq = 1}}, {});
  EXPECT_EQ(count.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(collection_->Count(std::nullopt, {.min_position = Position{}}, {}).ok());
}

TEST_F(ReadTest, CancelledReadStops) {
  const CancelToken gone(absl::InfiniteFuture(), [] { return true; });
  EXPECT_EQ(collection_->Count(Equals("odd", true), {}, gone).status().code(),
            absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace vettore
