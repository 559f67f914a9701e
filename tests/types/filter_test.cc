#include "types/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "types/limits.h"

namespace vettore {
namespace {

using ::testing::HasSubstr;

Filter Equals(std::string field, Scalar value) {
  return {FieldEquals{std::move(field), std::move(value)}};
}
Filter Not(Filter operand) {
  FilterNot node;
  node.operand.push_back(std::move(operand));
  return {std::move(node)};
}

std::string Fault(const Filter& filter) {
  const absl::Status status = ValidateFilter(filter);
  if (!status.ok()) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  }
  return std::string(status.message());
}

// `levels` nodes on the way down, the condition included.
Filter Deep(int levels) {
  Filter filter = Equals("a", int64_t{1});
  for (int i = 1; i < levels; ++i) filter = Not(std::move(filter));
  return filter;
}

TEST(ValidateFilter, TakesEveryKindOfNode) {
  const Filter filter{FilterAnd{{{FilterOr{{Equals("a", true), Equals("b.c", "x")}}},
                                 Not(Equals("d", 1.5)),
                                 {FieldAnyOf{"e", {int64_t{1}, 2.5, "y", false}}},
                                 {FieldAnyOf{"e", {}}},
                                 {FieldRange{"f", {}, 1.0, {}, 2.0}},
                                 {FieldExists{"g"}},
                                 {HasId{{PointId(1)}}},
                                 {FilterAnd{}},
                                 {FilterOr{}}}}};
  EXPECT_EQ(Fault(filter), "");
}

TEST(ValidateFilter, DepthStopsAt16) {
  EXPECT_EQ(Fault(Deep(limits::kFilterDepth)), "");
  EXPECT_EQ(Fault(Deep(limits::kFilterDepth + 1)), "filter: nested deeper than 16 levels");
  EXPECT_THAT(Fault(Deep(100)), HasSubstr("nested deeper"));
}

// The check itself must not recurse as deep as what it refuses.
TEST(ValidateFilter, ThousandsOfLevelsAreRefused) {
  EXPECT_THAT(Fault(Deep(5'000)), HasSubstr("nested deeper"));
}

TEST(ValidateFilter, ConditionsStopAt256) {
  FilterOr wide;
  wide.operands.assign(limits::kFilterConditions, Equals("a", int64_t{1}));
  EXPECT_EQ(Fault({wide}), "");
  wide.operands.push_back(Equals("a", int64_t{1}));
  EXPECT_EQ(Fault({wide}), "filter: more than 256 conditions");
}

TEST(ValidateFilter, EmptyGroupsCountAsConditions) {
  FilterOr wide;
  wide.operands.assign(limits::kFilterConditions + 1, Filter{FilterAnd{}});
  EXPECT_THAT(Fault({wide}), HasSubstr("more than 256 conditions"));
}

TEST(ValidateFilter, NotHasExactlyOneOperand) {
  EXPECT_THAT(Fault({FilterNot{}}), HasSubstr("exactly one operand, got 0"));
  EXPECT_THAT(Fault({FilterNot{{Equals("a", true), Equals("a", true)}}}), HasSubstr("got 2"));
}

TEST(ValidateFilter, FieldsHave1To256Bytes) {
  for (const std::string& field : {std::string(), std::string(limits::kFieldBytes + 1, 'f')}) {
    EXPECT_THAT(Fault(Equals(field, true)), HasSubstr("1 to 256 bytes"));
    EXPECT_NE(Fault({FieldAnyOf{field, {true}}}), "");
    EXPECT_NE(Fault({FieldRange{field, 1.0, {}, {}, {}}}), "");
    EXPECT_NE(Fault({FieldExists{field}}), "");
  }
  EXPECT_EQ(Fault(Equals(std::string(limits::kFieldBytes, 'f'), true)), "");
}

TEST(ValidateFilter, ARangeHasABoundAndNoNaN) {
  EXPECT_THAT(Fault({FieldRange{"f", {}, {}, {}, {}}}), HasSubstr("at least one of gt, gte"));
  EXPECT_THAT(Fault({FieldRange{"f", 1.0, {}, {}, std::nan("")}}), HasSubstr("NaN"));
  EXPECT_EQ(Fault({FieldRange{"f", -HUGE_VAL, {}, {}, HUGE_VAL}}), "");
  EXPECT_THAT(Fault(Equals("f", std::nan(""))), HasSubstr("NaN"));
}

TEST(ValidateFilter, ListsStopAt10000) {
  EXPECT_EQ(Fault({FieldAnyOf{"f", std::vector<Scalar>(10'000, true)}}), "");
  EXPECT_THAT(Fault({FieldAnyOf{"f", std::vector<Scalar>(10'001, true)}}),
              HasSubstr("at most 10000 values in one condition, got 10001"));
  EXPECT_EQ(Fault({HasId{std::vector<PointId>(10'000, PointId(1))}}), "");
  EXPECT_NE(Fault({HasId{std::vector<PointId>(10'001, PointId(1))}}), "");
}

}  // namespace
}  // namespace vettore
