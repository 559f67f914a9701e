// Filters as people type them become the API's.
#include "cli/filter_expression.h"

#include "cli/command.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vettore {
namespace {

std::string Text(std::string_view expression) {
  const absl::StatusOr<v1::Filter> filter = ParseFilterExpression(expression);
  EXPECT_TRUE(filter.ok()) << filter.status();
  return filter.ok() ? filter->ShortDebugString() : "";
}

TEST(FilterExpression, ConditionsBecomeNodes) {
  EXPECT_EQ(Text("author = Lem"), R"(equals { field: "author" value { text: "Lem" } })");
  EXPECT_EQ(Text("n==7"), R"(equals { field: "n" value { integer: 7 } })");
  EXPECT_EQ(Text("n = -1.5e3"), R"(equals { field: "n" value { number: -1500 } })");
  EXPECT_EQ(Text("ok = true"), R"(equals { field: "ok" value { boolean: true } })");
  EXPECT_EQ(Text("s = \"7\""), R"(equals { field: "s" value { text: "7" } })");
  EXPECT_EQ(Text(R"("odd field" = 'it\'s')"),
            R"(equals { field: "odd field" value { text: "it\'s" } })");
  EXPECT_EQ(Text("n != 1"), R"(negate { equals { field: "n" value { integer: 1 } } })");
  EXPECT_EQ(Text("year >= 1960"), R"(range { field: "year" gte: 1960 })");
  EXPECT_EQ(Text("year<2.5"), R"(range { field: "year" lt: 2.5 })");
  EXPECT_EQ(Text("tags in (a, 2, \"b c\")"),
            R"(one_of { field: "tags" values { text: "a" } values { integer: 2 } )"
            R"(values { text: "b c" } })");
  EXPECT_EQ(Text("metadata.isbn exists"), R"(exists { field: "metadata.isbn" })");
  EXPECT_EQ(Text("v = inf"), R"(equals { field: "v" value { text: "inf" } })");
}

TEST(FilterExpression, AndBindsTighterThanOr) {
  EXPECT_EQ(Text("a=1 or b=2 and not c=3"),
            R"(any { filters { equals { field: "a" value { integer: 1 } } } filters { all { )"
            R"(filters { equals { field: "b" value { integer: 2 } } } filters { negate { equals )"
            R"({ field: "c" value { integer: 3 } } } } } } })");
  EXPECT_EQ(Text("(a=1 or b=2) AND c=3"),
            R"(all { filters { any { filters { equals { field: "a" value { integer: 1 } } } )"
            R"(filters { equals { field: "b" value { integer: 2 } } } } } filters { equals { )"
            R"(field: "c" value { integer: 3 } } } })");
}

TEST(FilterExpression, JsonIsTheFilterOfTheApi) {
  EXPECT_EQ(Text(R"( {"range": {"field": "year", "gte": 1960}})"),
            R"(range { field: "year" gte: 1960 })");
}

TEST(FilterExpression, MistakesAreUsageErrorsWithTheByte) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "a field is wanted, got the end"},
      {"a", "one of = != < <= > >= in exists is wanted, got the end"},
      {"a = ", "a value is wanted"},
      {"a < b", "byte 4: a number is wanted, got 'b'"},
      {"a = 1 b = 2", "byte 6: 'and', 'or' or the end is wanted"},
      {"(a = 1", "')' is wanted"},
      {"a in (1, 2", "',' or ')'"},
      {"a in 1", "'(' is wanted"},
      {"a = \"x", "closing quote"},
      {"{\"nonsense\": 1}", "as JSON"},
      {"a = \xFF", "not UTF-8"},
      {std::string(100'000, '('), "nested deeper"},
  };
  for (const auto& [text, part] : cases) {
    const absl::StatusOr<v1::Filter> filter = ParseFilterExpression(text);
    EXPECT_TRUE(IsUsageError(filter.status())) << filter.status();
    EXPECT_THAT(std::string(filter.status().message()), testing::HasSubstr(part));
  }
}

}  // namespace
}  // namespace vettore
