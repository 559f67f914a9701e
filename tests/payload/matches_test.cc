// The meaning of a filter on one payload.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "base/strings.h"
#include "payload/filter_matcher.h"
#include "payload/payload_index.h"

namespace vettore {
namespace {

const PointId kId(7);

bool Holds(Filter filter, const Json& payload) {
  EXPECT_TRUE(ValidateFilter(filter).ok());
  const bool holds = Matches(filter, kId, payload);
  EXPECT_EQ(FilterMatcher(filter).Matches(kId, payload), holds);
  return holds;
}
bool Equals(const Json& value, Scalar wanted) {
  return Holds({FieldEquals{"f", std::move(wanted)}}, {{"f", value}});
}
bool InRange(const Json& value, FieldRange range) {
  range.field = "f";
  return Holds({range}, {{"f", value}});
}

TEST(Matches, IntegersAndDoublesAreEqualByValue) {
  EXPECT_TRUE(Equals(1, 1.0));
  EXPECT_TRUE(Equals(1.0, int64_t{1}));
  EXPECT_TRUE(Equals(-0.0, int64_t{0}));
  EXPECT_FALSE(Equals(1.5, int64_t{1}));
  EXPECT_FALSE(Equals(9007199254740993, 9007199254740992.0));
  EXPECT_FALSE(Equals(9007199254740992.0, int64_t{9007199254740993}));
  EXPECT_TRUE(Equals(9007199254740993, int64_t{9007199254740993}));
  EXPECT_FALSE(Equals(std::numeric_limits<int64_t>::max(), 0x1p63));
}

TEST(Matches, ValuesOfDifferentKindsAreNeverEqual) {
  const Json values[] = {true, 1, "1", "true", nullptr, Json::object(), Json{{"x", 1}}};
  const Scalar scalars[] = {true, int64_t{1}, std::string("1"), std::string("true")};
  for (size_t i = 0; i < std::size(values); ++i) {
    for (size_t j = 0; j < std::size(scalars); ++j) {
      EXPECT_EQ(Equals(values[i], scalars[j]), i == j) << values[i] << " and scalar " << j;
    }
  }
}

TEST(Matches, NullEqualsNothingAndIsNotThere) {
  for (const Scalar& scalar : {Scalar(false), Scalar(int64_t{0}), Scalar(0.0), Scalar("null")}) {
    EXPECT_FALSE(Equals(nullptr, scalar));
  }
  EXPECT_FALSE(Holds({FieldExists{"f"}}, {{"f", nullptr}}));
  EXPECT_FALSE(Holds({FieldExists{"f"}}, {{"g", 1}}));
  EXPECT_TRUE(Holds({FieldExists{"f"}}, {{"f", false}}));
  EXPECT_TRUE(Holds({FieldExists{"f"}}, {{"f", Json::array()}}));
  EXPECT_TRUE(Holds({FieldExists{"f"}}, {{"f", Json::object()}}));
  EXPECT_FALSE(InRange(nullptr, {"", {}, -HUGE_VAL, {}, {}}));
}

TEST(Matches, StringsCompareByBytes) {
  EXPECT_TRUE(Equals("\xC3\xA9", std::string("\xC3\xA9")));
  EXPECT_FALSE(Equals("e\xCC\x81", std::string("\xC3\xA9")));  // The same letter, decomposed.
  EXPECT_FALSE(Equals("A", std::string("a")));
  EXPECT_TRUE(Equals("", std::string("")));
}

TEST(Matches, RangeBoundsAreOpenOrClosedAndExact) {
  EXPECT_TRUE(InRange(5, {"", {}, 5.0, {}, 5.0}));
  EXPECT_FALSE(InRange(5, {"", 5.0, {}, {}, {}}));
  EXPECT_FALSE(InRange(5, {"", {}, {}, 5.0, {}}));
  EXPECT_TRUE(InRange(5.5, {"", 5.0, {}, 6.0, {}}));
  EXPECT_TRUE(InRange(9007199254740993, {"", 9007199254740992.0, {}, {}, {}}));
  EXPECT_FALSE(InRange(9007199254740993, {"", {}, {}, {}, 9007199254740992.0}));
  EXPECT_FALSE(InRange(std::numeric_limits<int64_t>::max(), {"", {}, 0x1p63, {}, {}}));
  EXPECT_FALSE(InRange(5, {"", 6.0, {}, 4.0, {}}));
}

TEST(Matches, RangesTakeNumbersOnly) {
  for (const Json& value : {Json("5"), Json(true), Json(Json::object())}) {
    EXPECT_FALSE(InRange(value, {"", {}, -HUGE_VAL, {}, HUGE_VAL})) << value;
  }
}

TEST(Matches, AnArrayHoldsWhenAnyElementDoes) {
  EXPECT_TRUE(Equals({"a", 2, true}, int64_t{2}));
  EXPECT_TRUE(Equals({"a", 2, true}, true));
  EXPECT_FALSE(Equals({"a", 2}, int64_t{3}));
  EXPECT_FALSE(Equals(Json::array(), int64_t{3}));
  EXPECT_FALSE(Equals(Json::array({Json::array({3})}), int64_t{3}));  // Not of an element's own.
  EXPECT_TRUE(InRange({1, 9}, {"", 5.0, {}, {}, {}}));
  // One element must hold all bounds: 1 and 9 are not between 4 and 6.
  EXPECT_FALSE(InRange({1, 9}, {"", 4.0, {}, 6.0, {}}));
  EXPECT_TRUE(Holds({FieldAnyOf{"f", {"x", int64_t{9}}}}, {{"f", {1, 9}}}));
}

TEST(Matches, AnyOfNothingIsFalse) { EXPECT_FALSE(Holds({FieldAnyOf{"f", {}}}, {{"f", 1}})); }

TEST(Matches, LongListsMeanWhatShortOnesDo) {
  std::vector<Scalar> values = {std::string("x"), true, 2.5, 7.0, int64_t{9007199254740993}};
  for (int i = 0; i < 100; ++i) values.push_back(StrCat("filler ", i));
  const Filter filter{FieldAnyOf{"f", values}};
  for (const Json& value : {Json("x"), Json(true), Json(2.5), Json(7), Json(9007199254740993),
                            Json({1, "filler 99"})}) {
    EXPECT_TRUE(Holds(filter, {{"f", value}})) << value;
  }
  for (const Json& value : {Json("y"), Json(false), Json(2), Json(9007199254740992.0),
                            Json(nullptr), Json(Json::object()), Json::array()}) {
    EXPECT_FALSE(Holds(filter, {{"f", value}})) << value;
  }
}

TEST(Matches, IdsAreNumbersOrTexts) {
  EXPECT_TRUE(Holds({HasId{{PointId(1), PointId(7)}}}, Json::object()));
  EXPECT_FALSE(Holds({HasId{{PointId::Parse("7").value()}}}, Json::object()));
  EXPECT_FALSE(Holds({HasId{}}, Json::object()));
  HasId many;
  for (uint64_t i = 0; i < 100; ++i) many.ids.push_back(PointId(1'000 + i));
  EXPECT_FALSE(Holds({many}, Json::object()));
  many.ids.push_back(kId);
  EXPECT_TRUE(Holds({many}, Json::object()));
}

TEST(Matches, AndOrNotAreThoseOfLogic) {
  const Filter yes{FieldExists{"f"}}, no{FieldExists{"g"}};
  const Json payload = {{"f", 1}};
  EXPECT_TRUE(Holds({FilterAnd{}}, payload));
  EXPECT_FALSE(Holds({FilterOr{}}, payload));
  EXPECT_TRUE(Holds({FilterAnd{{yes, yes}}}, payload));
  EXPECT_FALSE(Holds({FilterAnd{{yes, no}}}, payload));
  EXPECT_TRUE(Holds({FilterOr{{no, yes}}}, payload));
  EXPECT_FALSE(Holds({FilterOr{{no, no}}}, payload));
  EXPECT_TRUE(Holds({FilterNot{{no}}}, payload));
  EXPECT_FALSE(Holds({FilterNot{{yes}}}, payload));
}

TEST(Matches, PathsReachIntoObjects) {
  const Json payload = {{"a", {{"b", {{"c", 5}}}}}, {"x.y", 6}};
  EXPECT_TRUE(Holds({FieldEquals{"a.b.c", int64_t{5}}}, payload));
  EXPECT_TRUE(Holds({FieldEquals{"x.y", int64_t{6}}}, payload));
  EXPECT_FALSE(Holds({FieldExists{"a.b.d"}}, payload));
}

}  // namespace
}  // namespace vettore
