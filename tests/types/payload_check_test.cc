#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "base/strings.h"
#include "types/json.h"
#include "types/limits.h"

namespace vettore {
namespace {

using ::testing::HasSubstr;

std::string Fault(const Json& payload) {
  const absl::Status status = ValidatePayload(payload, "point 7");
  if (status.ok()) return "";
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

// `levels` containers around a number, arrays and objects in turn.
Json Nested(int levels) {
  Json value = 1;
  for (int i = 0; i < levels; ++i) {
    value = (levels - i) % 2 == 0 ? Json::array({std::move(value)}) : Json{{"k", std::move(value)}};
  }
  return value;
}

TEST(ValidatePayload, TakesEveryKindOfValue) {
  EXPECT_EQ(Fault(Json::object()), "");
  EXPECT_EQ(Fault({{"a", {1, 2.5, "x", true, nullptr, {{"b", Json::array()}}}}}), "");
}

TEST(ValidatePayload, WantsAnObject) {
  EXPECT_EQ(Fault(Json::array()), "point 7: payload: wanted an object, got array");
  EXPECT_NE(Fault(nullptr), "");
}

TEST(ValidatePayload, DepthStopsAtTheLimit) {
  EXPECT_EQ(Fault(Nested(limits::kPayloadDepth - 1)), "");  // Odd: an object outermost.
  EXPECT_THAT(Fault(Nested(limits::kPayloadDepth + 1)), HasSubstr("nested deeper than 32 levels"));
  EXPECT_EQ(Fault({{"a", Nested(limits::kPayloadDepth - 1)}}), "");
  EXPECT_THAT(Fault({{"a", Nested(limits::kPayloadDepth)}}), HasSubstr("nested deeper"));
}

TEST(ValidatePayload, ATreeOfAHundredThousandLevelsCostsNoStack) {
  EXPECT_THAT(Fault({{"a", Nested(100'000)}}), HasSubstr("nested deeper"));
}

TEST(ValidatePayload, SizeIsExactAtTheLimit) {
  const size_t frame = std::string(R"({"t":""})").size();
  EXPECT_EQ(Fault({{"t", std::string(limits::kPayloadBytes - frame, 'x')}}), "");
  EXPECT_EQ(Fault({{"t", std::string(limits::kPayloadBytes - frame + 1, 'x')}}),
            "point 7: payload is larger than 1048576 bytes as JSON text");
  EXPECT_NE(Fault({{std::string(2'000'000, 'k'), 1}}), "");
}

TEST(ValidatePayload, EscapesCountAsTheyAreWritten) {
  const size_t room = limits::kPayloadBytes - std::string(R"({"t":""})").size();
  EXPECT_EQ(Fault({{"t", std::string(room / 2, '"')}}), "");
  EXPECT_NE(Fault({{"t", std::string(room / 2 + 1, '"')}}), "");
  EXPECT_EQ(Fault({{"t", std::string(room / 6, '\x01')}}), "");
  EXPECT_NE(Fault({{"t", std::string(room / 6 + 1, '\x01')}}), "");
}

TEST(ValidatePayload, ManySmallValuesAddUp) {
  const size_t count = (limits::kPayloadBytes - std::string(R"({"a":[]})").size() + 1) / 2;
  Json ones(count, 1);  // "1," each, the last without a comma
  EXPECT_EQ(Json({{"a", ones}}).dump().size(), limits::kPayloadBytes - 1);
  EXPECT_EQ(Fault({{"a", ones}}), "");
  ones.push_back(1);
  EXPECT_NE(Fault({{"a", ones}}), "");
}

TEST(ValidatePayload, NumbersMustBeFiniteAndWithinInt64) {
  EXPECT_EQ(Fault({{"n", std::numeric_limits<int64_t>::min()}}), "");
  EXPECT_EQ(Fault({{"n", uint64_t{1} << 63}}),
            "point 7: payload field 'n': integer 9223372036854775808 does not fit 64 bits with "
            "sign");
  EXPECT_EQ(Fault({{"a", {{"b", {1, std::nan("")}}}}}),
            "point 7: payload field 'a.b[1]': number nan is not finite");
  EXPECT_THAT(Fault({{"n", std::numeric_limits<double>::infinity()}}), HasSubstr("not finite"));
}

TEST(ValidatePayload, StringsAndKeysMustBeUtf8) {
  EXPECT_EQ(Fault({{"t", "ab\xFF"}}),
            "point 7: payload field 't': a string with invalid UTF-8 at its byte offset 2");
  EXPECT_THAT(Fault({{"x", {{"k\xC0", 1}}}}), HasSubstr("field 'x': a key with invalid UTF-8"));
  EXPECT_EQ(Fault({{"\xE6\xBC\xA2", "\xE5\xAD\x97"}}), "");
}

TEST(ValidatePayload, BinaryIsNotJson) {
  EXPECT_THAT(Fault({{"b", Json::binary({1, 2})}}), HasSubstr("field 'b'"));
}

TEST(ValidatePayload, AnErrorUnderALongKeyStaysShort) {
  EXPECT_LT(Fault({{std::string(100'000, 'k'), std::nan("")}}).size(), 300u);
}

}  // namespace
}  // namespace vettore
