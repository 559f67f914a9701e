#include "payload/payload_index.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "payload/point_table.h"

namespace vettore {
namespace {

constexpr PayloadIndexKind kKinds[] = {PayloadIndexKind::kKeyword, PayloadIndexKind::kInteger,
                                       PayloadIndexKind::kFloat, PayloadIndexKind::kBool};

// One value of every sort that a field can hold.
std::vector<Json> OddValues() {
  return {nullptr,
          true,
          false,
          0,
          -0.0,
          1,
          1.0,
          1.5,
          -7,
          9007199254740992,
          9007199254740993,
          9007199254740992.0,
          INT64_MAX,
          INT64_MIN,
          0x1p63,
          -0x1p63,
          1e300,
          5e-324,
          "",
          "a",
          "1",
          Json::array(),
          Json::object(),
          Json{{"f", 1}},
          {1, "a", true},
          {1, 1.0, 1.5, 9007199254740993},
          {nullptr},
          Json::array({Json::array({1})}),
          {2, 2, 2}};
}

std::vector<Filter> OddConditions() {
  std::vector<Scalar> scalars = {true,
                                 false,
                                 int64_t{0},
                                 int64_t{1},
                                 1.0,
                                 1.5,
                                 int64_t{9007199254740993},
                                 9007199254740992.0,
                                 int64_t{INT64_MAX},
                                 0x1p63,
                                 std::string(),
                                 std::string("a"),
                                 std::string("1"),
                                 std::string("absent")};
  std::vector<Filter> filters;
  for (const Scalar& scalar : scalars) filters.push_back({FieldEquals{"f", scalar}});
  filters.push_back({FieldAnyOf{"f", scalars}});
  filters.push_back({FieldAnyOf{"f", {}}});
  filters.push_back({FieldExists{"f"}});
  const double bounds[] = {-HUGE_VAL, -0x1p63, -7, 0, 1, 1.25, 1.5, 0x1p53, 2, 0x1p63, HUGE_VAL};
  for (const double low : bounds) {
    filters.push_back({FieldRange{"f", low, {}, {}, {}}});
    filters.push_back({FieldRange{"f", {}, low, {}, {}}});
    filters.push_back({FieldRange{"f", {}, {}, low, {}}});
    filters.push_back({FieldRange{"f", {}, {}, {}, low}});
    for (const double high : bounds) {
      filters.push_back({FieldRange{"f", low, {}, {}, high}});
      filters.push_back({FieldRange{"f", {}, low, high, {}}});
    }
  }
  return filters;
}

// The contract of every kind in the registry.
class PayloadIndexContract : public testing::TestWithParam<PayloadIndexKind> {
 protected:
  PayloadIndexContract() : table_(std::vector<PayloadIndexConfig>{{"f", GetParam()}}) {}
  PointTable table_;
};

TEST_P(PayloadIndexContract, AgreesWithMatchesOnEveryValueAndCondition) {
  uint64_t id = 0;
  for (const Json& value : OddValues()) table_.Put(++id, {{"f", value}});
  table_.Put(++id, Json::object());
  for (const Filter& filter : OddConditions()) {
    for (const Filter& each : {filter, Filter{FilterNot{{filter}}}}) {
      const FilterResult result = table_.Evaluate(each).value();
      EXPECT_EQ(PointTable::SlotsOf(result.slots), table_.Truth(each));
      EXPECT_EQ(result.count, result.slots.Count());
    }
  }
}

TEST_P(PayloadIndexContract, RemovedPointsAreForgotten) {
  for (int round = 0; round < 3; ++round) {
    uint64_t id = 0;
    for (const Json& value : OddValues()) table_.Put(++id, {{"f", value}});
    while (id > 0) table_.Delete(id--);
  }
  table_.Put(1, {{"f", "only"}});
  for (const Filter& filter : OddConditions()) {
    EXPECT_EQ(PointTable::SlotsOf(table_.Evaluate(filter).value().slots), table_.Truth(filter));
  }
}

TEST_P(PayloadIndexContract, ExistsReadsNoPayload) {
  uint64_t id = 0;
  for (const Json& value : OddValues()) table_.Put(++id, {{"f", value}});
  const FilterResult result = table_.Evaluate({FieldExists{"f"}}).value();
  EXPECT_EQ(result.count, OddValues().size() - 1);  // All but null.
  EXPECT_EQ(result.payloads_read, 0u);
}

INSTANTIATE_TEST_SUITE_P(Kinds, PayloadIndexContract, testing::ValuesIn(kKinds),
                         [](const auto& kind) { return std::string(NameOf(kind.param)); });

// 1,000 points with fields of each kind; `city` and `note` repeat.
PointTable Library(const std::vector<PayloadIndexConfig>& configs) {
  PointTable table(configs);
  for (uint64_t i = 0; i < 1'000; ++i) {
    table.Put(i, {{"city", StrCat("city ", i % 10)},
                  {"year", 1'000 + i},
                  {"price", static_cast<double>(i) / 4},
                  {"sold", i % 2 == 0},
                  {"note", StrCat("note ", i % 7)}});
  }
  return table;
}

std::vector<PayloadIndexConfig> AllButNote() {
  return {{"city", PayloadIndexKind::kKeyword},
          {"year", PayloadIndexKind::kInteger},
          {"price", PayloadIndexKind::kFloat},
          {"sold", PayloadIndexKind::kBool}};
}

Filter City(int i) { return {FieldEquals{"city", StrCat("city ", i)}}; }
Filter Note(int i) { return {FieldEquals{"note", StrCat("note ", i)}}; }
Filter Not(Filter operand) { return {FilterNot{{std::move(operand)}}}; }
Filter And(std::vector<Filter> operands) { return {FilterAnd{std::move(operands)}}; }
Filter Or(std::vector<Filter> operands) { return {FilterOr{std::move(operands)}}; }

// What a plan costs: payloads read for the right answer.
size_t Reads(const PointTable& table, const Filter& filter) {
  const FilterResult result = table.Evaluate(filter).value();
  EXPECT_EQ(PointTable::SlotsOf(result.slots), table.Truth(filter));
  return result.payloads_read;
}

TEST(PayloadIndex, IndexedFiltersReadNoPayload) {
  const PointTable table = Library(AllButNote());
  EXPECT_EQ(Reads(table, City(3)), 0u);
  EXPECT_EQ(Reads(table, {FieldAnyOf{"city", {"city 1", "city 2", "absent"}}}), 0u);
  EXPECT_EQ(Reads(table, {FieldEquals{"year", 1'500.0}}), 0u);
  EXPECT_EQ(Reads(table, {FieldRange{"year", 1'200.5, {}, 1'300.0, {}}}), 0u);
  EXPECT_EQ(Reads(table, {FieldRange{"price", {}, 10.25, {}, 20.0}}), 0u);
  EXPECT_EQ(Reads(table, {FieldEquals{"price", int64_t{7}}}), 0u);
  EXPECT_EQ(Reads(table, {FieldEquals{"sold", true}}), 0u);
  EXPECT_EQ(Reads(table, {HasId{{PointId(5), PointId(5'000)}}}), 0u);
  EXPECT_EQ(Reads(table, Not(City(3))), 0u);
  EXPECT_EQ(Reads(table, And({})), 0u);
  EXPECT_EQ(Reads(table, Or({})), 0u);
  EXPECT_EQ(Reads(table, Or({City(1), Not(And({City(2), {FieldEquals{"sold", false}}}))})), 0u);
}

TEST(PayloadIndex, AnAndReadsOnlyWhatTheIndexesLeave) {
  const PointTable table = Library(AllButNote());
  EXPECT_EQ(Reads(table, And({Note(1), City(3)})), 100u);
  EXPECT_EQ(Reads(table, And({Note(1), {HasId{{PointId(1), PointId(2)}}}})), 2u);
  EXPECT_EQ(Reads(table, And({Note(1), City(1), City(2)})), 0u);
}

TEST(PayloadIndex, AnOrReadsOnlyWhatIsNotCertain) {
  const PointTable table = Library(AllButNote());
  EXPECT_EQ(Reads(table, Or({City(3), Note(1)})), 900u);
  EXPECT_EQ(Reads(table, Or({City(3), And({City(4), Note(1)})})), 100u);
  EXPECT_EQ(Reads(table, Not(And({City(3), Note(1)}))), 100u);
}

TEST(PayloadIndex, WithoutAnIndexEveryLivePointIsReadOnce) {
  const PointTable table = Library({});
  EXPECT_TRUE(table.index().empty());
  EXPECT_EQ(Reads(table, And({City(3), Note(1)})), 1'000u);
  EXPECT_FALSE(Library(AllButNote()).index().empty());
}

TEST(PayloadIndex, AValueThatAnIndexCannotPlaceIsDecidedByItsPayload) {
  PointTable table = Library(AllButNote());
  table.Put(2'000, {{"year", 1'500.5}});
  table.Put(2'001, {{"price", 9007199254740993}});
  EXPECT_EQ(Reads(table, {FieldRange{"year", 1'500.0, {}, 1'501.0, {}}}), 1u);
  EXPECT_EQ(Reads(table, {FieldEquals{"price", 9007199254740992.0}}), 1u);
  table.Delete(2'000);
  EXPECT_EQ(Reads(table, {FieldRange{"year", 1'500.0, {}, 1'501.0, {}}}), 0u);
}

TEST(PayloadIndex, AConditionOfAnotherKindReadsOnlyPointsThatHaveTheField) {
  PointTable table(std::vector<PayloadIndexConfig>{{"f", PayloadIndexKind::kKeyword}});
  for (uint64_t i = 0; i < 100; ++i) table.Put(i, i < 10 ? Json{{"f", i}} : Json{{"g", i}});
  EXPECT_EQ(Reads(table, {FieldEquals{"f", int64_t{5}}}), 10u);
}

TEST(PayloadIndex, ManyDistinctValuesOfAKeywordAreFoundAndForgotten) {
  PointTable table(std::vector<PayloadIndexConfig>{{"f", PayloadIndexKind::kKeyword}});
  for (uint64_t i = 0; i < 5'000; ++i) table.Put(i, {{"f", {StrCat("own ", i), "shared"}}});
  EXPECT_EQ(table.Evaluate({FieldEquals{"f", "shared"}}).value().count, 5'000u);
  EXPECT_EQ(table.Evaluate({FieldEquals{"f", "own 4321"}}).value().count, 1u);
  for (uint64_t i = 0; i < 5'000; i += 2) table.Delete(i);
  EXPECT_EQ(table.Evaluate({FieldEquals{"f", "shared"}}).value().count, 2'500u);
  EXPECT_EQ(table.Evaluate({FieldEquals{"f", "own 4320"}}).value().count, 0u);
}

TEST(PayloadIndex, NestedPathsAreIndexed) {
  PointTable table(std::vector<PayloadIndexConfig>{{"a.b", PayloadIndexKind::kInteger}});
  table.Put(1, {{"a", {{"b", 1}}}});
  table.Put(2, {{"a.b", 1}});
  table.Put(3, {{"a", 1}});
  EXPECT_EQ(Reads(table, {FieldEquals{"a.b", int64_t{1}}}), 0u);
  EXPECT_EQ(table.Evaluate({FieldEquals{"a.b", int64_t{1}}}).value().count, 2u);
}

TEST(PayloadIndex, AnIndexThatKnowsMoreThanIsLiveAnswersOnlyLiveSlots) {
  const std::vector<PayloadIndexConfig> configs = {{"f", PayloadIndexKind::kBool}};
  const std::unique_ptr<PayloadIndex> index = PayloadIndex::Make(configs);
  for (Slot slot = 0; slot < 10; ++slot) index->Add(slot, {{"f", true}});
  SlotBitmap live(10);
  live.Insert(4);
  const FilterSource source{[](const PointId&) -> Slot { return 7; },  // Not live either.
                            [](const SlotBitmap&, const auto&) { return absl::OkStatus(); }};
  for (const Filter& filter : {Filter{FieldEquals{"f", true}}, Filter{FieldExists{"f"}},
                               Not({FieldEquals{"f", false}}), And({})}) {
    EXPECT_EQ(PointTable::SlotsOf(index->Evaluate(filter, live, source, CancelToken())->slots),
              std::vector<Slot>{4});
  }
  EXPECT_EQ(index->Evaluate({HasId{{PointId(1)}}}, live, source, CancelToken())->count, 0u);
}

TEST(PayloadIndex, CancellationStopsTheReading) {
  const PointTable table = Library({});
  int polls = 0;
  const CancelToken cancel(absl::InfiniteFuture(), [&polls] { return ++polls > 3; });
  EXPECT_EQ(table.Evaluate(Note(1), cancel).status().code(), absl::StatusCode::kCancelled);
  const CancelToken late(absl::Now() - absl::Seconds(1), nullptr);
  EXPECT_EQ(Library(AllButNote()).Evaluate(City(1), late).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(PayloadIndex, CancellationStopsALongRange) {
  PointTable table(std::vector<PayloadIndexConfig>{{"f", PayloadIndexKind::kInteger}});
  for (uint64_t i = 0; i < 10'000; ++i) table.Put(i, {{"f", i}});
  int polls = 0;
  const CancelToken cancel(absl::InfiniteFuture(), [&polls] { return ++polls > 2; });
  EXPECT_EQ(table.Evaluate({FieldRange{"f", {}, 0.0, {}, {}}}, cancel).status().code(),
            absl::StatusCode::kCancelled);
}

TEST(PayloadIndex, AFailedReadIsTheAnswer) {
  const std::unique_ptr<PayloadIndex> index = PayloadIndex::Make({});
  SlotBitmap live(1);
  live.Insert(0);
  const FilterSource source{
      [](const PointId&) { return kNoSlot; },
      [](const SlotBitmap&, const auto&) { return absl::DataLossError("damaged"); }};
  EXPECT_EQ(index->Evaluate(Note(1), live, source, CancelToken()).status().code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace vettore
