#include "types/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "base/strings.h"

namespace vettore {
namespace {

using ::testing::HasSubstr;

constexpr int kDepth = 32;

std::string ParseError(std::string_view text, int max_depth = kDepth) {
  const absl::StatusOr<Json> parsed = ParseJson(text, max_depth);
  if (parsed.ok()) return "";
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(parsed.status().message());
}

TEST(ParseJson, BuildsEveryKindOfValue) {
  const Json value =
      ParseJson(R"( {"a": [1, -2, 2.5, "x\n\u00e9", true, false, null], "b": {"c": {}}} )", kDepth)
          .value();
  EXPECT_EQ(value, (Json{{"a", {1, -2, 2.5, "x\n\xC3\xA9", true, false, nullptr}},
                         {"b", {{"c", Json::object()}}}}));
  EXPECT_EQ(ParseJson("7", kDepth).value(), Json(7));
}

TEST(ParseJson, TellsIntegersFromDoubles) {
  EXPECT_TRUE(ParseJson("1", kDepth)->is_number_integer());
  EXPECT_TRUE(ParseJson("1.0", kDepth)->is_number_float());
  EXPECT_TRUE(ParseJson("1e3", kDepth)->is_number_float());
  EXPECT_EQ(ParseJson("9007199254740993", kDepth)->get<int64_t>(), 9007199254740993);
}

TEST(ParseJson, TakesInt64AndRefusesOnePast) {
  EXPECT_EQ(ParseJson("9223372036854775807", kDepth)->get<int64_t>(),
            std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ParseJson("-9223372036854775808", kDepth)->get<int64_t>(),
            std::numeric_limits<int64_t>::min());
  EXPECT_EQ(ParseError("[1, 9223372036854775808]"),
            "malformed JSON at byte offset 4: integer 9223372036854775808 does not fit 64 bits "
            "with sign");
  EXPECT_THAT(ParseError("-9223372036854775809"), HasSubstr("byte offset 0: integer -92233720"));
  EXPECT_THAT(ParseError("[18446744073709551616]"), HasSubstr("byte offset 1: integer 184467440"));
}

TEST(ParseJson, RefusesANumberPastDouble) { EXPECT_NE(ParseError("[1e999]"), ""); }

TEST(ParseJson, SyntaxErrorsNameTheByteOffset) {
  EXPECT_THAT(ParseError(""), HasSubstr("byte offset 0"));
  EXPECT_THAT(ParseError("{\"a\": tru}"), HasSubstr("byte offset 9"));
  EXPECT_THAT(ParseError("{\"a\" 1}"), HasSubstr("byte offset 5"));
  EXPECT_THAT(ParseError("{} x"), HasSubstr("byte offset 3"));
  for (const char* text :
       {"{", "[1,]", "{\"a\":1,}", "nan", "'a'", "\"\\ud800\"", "[01]", "// c\n1"}) {
    EXPECT_THAT(ParseError(text), HasSubstr("byte offset")) << text;
  }
}

TEST(ParseJson, InvalidUtf8NamesTheByteOffset) {
  EXPECT_THAT(ParseError("[\"ab\xFF\"]"), HasSubstr("byte offset 4"));
  EXPECT_THAT(ParseError("[\"ab\xC0\x80\"]"), HasSubstr("byte offset 4"));
  EXPECT_THAT(ParseError("{\"\xED\xA0\x80\":1}"), HasSubstr("byte offset"));
}

TEST(ParseJson, NulEndsNothing) {
  EXPECT_THAT(ParseError(std::string_view("{}\0garbage", 10)), HasSubstr("byte offset 2"));
  EXPECT_NE(ParseError(std::string_view("\"a\0b\"", 5)), "");
}

TEST(ParseJson, DepthIsCountedFromTheOutermostContainer) {
  EXPECT_EQ(ParseError("[[1]]", 2), "");
  EXPECT_EQ(ParseError("[[[1]]]", 2),
            "malformed JSON at byte offset 2: nested deeper than 2 levels");
  EXPECT_EQ(ParseError("{\"a\":{\"b\":1}}", 2), "");
  EXPECT_THAT(ParseError("{\"a\":{\"b\":{}}}", 2), HasSubstr("nested deeper than 2"));
  EXPECT_EQ(ParseError("[[],[],[[]]]", 3), "");
  EXPECT_EQ(ParseError("1", 0), "");
}

TEST(ParseJson, AMillionBracketsAreRefusedWithoutBuildingThem) {
  EXPECT_THAT(ParseError(std::string(10'000'000, '[')), HasSubstr("byte offset 32: nested deeper"));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_THAT(ParseError(objects), HasSubstr("nested deeper"));
}

TEST(ParseJson, TheLastOfADuplicateKeyWins) {
  EXPECT_EQ(ParseJson(R"({"a": {"b": 1}, "a": [2], "a": 3})", kDepth).value(), (Json{{"a", 3}}));
  EXPECT_EQ(ParseJson(R"({"a": 1, "a": {"c": 2}})", kDepth).value(), (Json{{"a", {{"c", 2}}}}));
}

TEST(ParseJson, ErrorsStayShortAndPrintableWhateverTheText) {
  const std::string message = ParseError("[\"" + std::string(100'000, 'x') + "\x01");
  EXPECT_LT(message.size(), 500u);
  for (const char c : message) EXPECT_GE(c, ' ');
}

TEST(FindPath, FollowsDots) {
  const Json object = {{"author", {{"name", "Eco"}, {"born", 1932}}}, {"n", 1}};
  EXPECT_EQ(*FindPath(object, "author.name"), Json("Eco"));
  EXPECT_EQ(*FindPath(object, "n"), Json(1));
  EXPECT_EQ(*FindPath(object, "author"), object["author"]);
  EXPECT_EQ(FindPath(object, "author.age"), nullptr);
  EXPECT_EQ(FindPath(object, "n.name"), nullptr);
  EXPECT_EQ(FindPath(object, ""), nullptr);
  EXPECT_EQ(FindPath(Json(1), "n"), nullptr);
}

TEST(FindPath, AKeyWithDotsIsFoundFirstThenTheLongestPrefix) {
  const Json object = {{"a.b", {{"c", "long"}}},
                       {"a", {{"b", {{"c", "short"}, {"d", "only here"}}}, {"b.c", "middle"}}},
                       {"x.y.z", "whole"},
                       {"x", {{"y.z", "not this"}}}};
  EXPECT_EQ(*FindPath(object, "x.y.z"), Json("whole"));
  EXPECT_EQ(*FindPath(object, "a.b.c"), Json("long"));
  EXPECT_EQ(*FindPath(object, "a.b.d"), Json("only here"));  // Under "a.b" there is no "d".
}

TEST(FindPath, EndsAtArraysAndOddPaths) {
  const Json object = {{"a", {{{"b", 1}}}}, {"", 5}, {".x", 6}, {"y", {{"", 7}}}};
  EXPECT_EQ(FindPath(object, "a.b"), nullptr);
  EXPECT_EQ(*FindPath(object, ""), Json(5));
  EXPECT_EQ(*FindPath(object, ".x"), Json(6));
  EXPECT_EQ(*FindPath(object, "y."), Json(7));
  EXPECT_EQ(FindPath(object, "..."), nullptr);
}

}  // namespace
}  // namespace vettore
