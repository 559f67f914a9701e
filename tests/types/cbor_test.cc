#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "absl/strings/escaping.h"
#include "base/strings.h"
#include "types/json.h"

namespace vettore {
namespace {

std::string Hex(std::string_view bytes) { return absl::BytesToHexString(AbslView(bytes)); }
std::string Bytes(std::string_view hex) { return absl::HexStringToBytes(AbslView(hex)); }

Json RandomJson(std::mt19937_64& random, int depth) {
  switch (random() % (depth > 0 ? 9 : 7)) {
    case 0:
      return nullptr;
    case 1:
      return random() % 2 == 0;
    case 2:
      return static_cast<int64_t>(random() >> (random() % 64));
    case 3:
      return -static_cast<int64_t>(random() >> (1 + random() % 63));
    case 4:
      return static_cast<double>(random()) / static_cast<double>(random() | 1);
    case 5:
      return static_cast<double>(static_cast<float>(random()));
    case 6:
      return std::string(random() % 300, static_cast<char>('a' + random() % 26));
    case 7: {
      Json array = Json::array();
      for (uint64_t i = random() % 30; i > 0; --i) array.push_back(RandomJson(random, depth - 1));
      return array;
    }
    default: {
      Json object = Json::object();
      for (uint64_t i = random() % 30; i > 0; --i) {
        object[StrCat("k", random() % 100)] = RandomJson(random, depth - 1);
      }
      return object;
    }
  }
}

bool HasIntegerPastInt64(const Json& value) {
  if (value.is_number_unsigned()) return value.get<uint64_t>() >> 63 != 0;
  if (!value.is_structured()) return false;
  for (const Json& element : value) {
    if (HasIntegerPastInt64(element)) return true;
  }
  return false;
}

// The stored form must never change.
TEST(Cbor, GoldenBytes) {
  const Json payload = {{"a", 1},
                        {"b", -500},
                        {"c", 1.1},
                        {"d", "\xC3\xA9"},
                        {"e", {true, false, nullptr}},
                        {"f", 1e10},
                        {"g", Json::object()},
                        {"h", 4294967296}};
  const std::string golden =
      "a8616101616239"
      "01f36163fb3ff199999999999a616462c3a9616583f5f4f66166fa501502f96167a061681b0000000100000000";
  EXPECT_EQ(Hex(EncodeCbor(payload)), golden);
  EXPECT_EQ(DecodeCbor(Bytes(golden)).value(), payload);
}

TEST(Cbor, RandomValuesComeBackWithTheirKinds) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 500; ++round) {
    const Json value = RandomJson(random, 4);
    if (HasIntegerPastInt64(value)) continue;
    const Json back = DecodeCbor(EncodeCbor(value)).value();
    ASSERT_EQ(back, value);
    ASSERT_EQ(back.dump(), value.dump());  // Tells 1 from 1.0, which == does not.
  }
}

TEST(Cbor, ExtremesComeBack) {
  for (const Json& value :
       {Json(std::numeric_limits<int64_t>::min()), Json(std::numeric_limits<int64_t>::max()),
        Json(std::numeric_limits<double>::max()), Json(std::numeric_limits<double>::denorm_min()),
        Json(-0.0), Json(""), Json(std::string("\0", 1)), Json(9007199254740993)}) {
    EXPECT_EQ(DecodeCbor(EncodeCbor(value)).value().dump(), value.dump());
  }
}

TEST(Cbor, EveryTruncationIsDataLoss) {
  const std::string whole =
      EncodeCbor({{"text", std::string(300, 'x')}, {"list", {1, 2.5, {{"k", nullptr}}}}});
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(DecodeCbor(whole.substr(0, size)).status().code(), absl::StatusCode::kDataLoss)
        << size;
  }
  EXPECT_EQ(DecodeCbor(whole + '\0').status().code(), absl::StatusCode::kDataLoss);
}

TEST(Cbor, WhatPayloadsDoNotHoldIsDataLoss) {
  const std::pair<const char*, const char*> cases[] = {
      {"1b8000000000000000", "an unsigned past int64"},
      {"3b8000000000000000", "a negative past int64"},
      {"4101", "a byte string"},
      {"c101", "a tag"},
      {"f7", "undefined"},
      {"f90000", "a half float"},
      {"fb7ff8000000000000", "a NaN"},
      {"fa7f800000", "an infinity"},
      {"9fff", "an indefinite array"},
      {"bfff", "an indefinite map"},
      {"7fff", "an indefinite text"},
      {"1c", "a reserved length"},
      {"61ff", "text that is not UTF-8"},
      {"a10101", "a key that is not text"},
      {"a2616101616102", "a key twice"},
      {"a2616201616101ff", "bytes past the end"},
  };
  for (const auto& [hex, what] : cases) {
    EXPECT_EQ(DecodeCbor(Bytes(hex)).status().code(), absl::StatusCode::kDataLoss) << what;
  }
}

TEST(Cbor, UnorderedKeysAreTaken) {
  EXPECT_EQ(DecodeCbor(Bytes("a2616201616102")).value(), (Json{{"a", 2}, {"b", 1}}));
}

// nlohmann's decoder recurses on nested indefinite strings and arrays without a bound.
TEST(Cbor, DeepNestingIsRefusedOnAConstantStack) {
  for (const char head : {'\x81', '\x7F', '\x5F', '\x9F', '\xA1', '\xC1'}) {
    EXPECT_EQ(DecodeCbor(std::string(5'000'000, head)).status().code(),
              absl::StatusCode::kDataLoss);
  }
}

TEST(Cbor, ACountIsNotBelieved) {
  for (const char* hex : {"9bffffffffffffffff01", "9b0000000100000000", "bb0000ffffffffffff6161",
                          "7bffffffffffffffff61", "7b000000010000000061"}) {
    EXPECT_EQ(DecodeCbor(Bytes(hex)).status().code(), absl::StatusCode::kDataLoss) << hex;
  }
}

TEST(Cbor, DamagedBytesNeverCrashAndNeverYieldWhatAPayloadCannotHold) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  const std::string whole = EncodeCbor(
      {{"a", {1, 2, 3}}, {"b", {{"c", "text"}, {"d", -1.5}}}, {"e", nullptr}, {"f", 1'000'000}});
  for (int round = 0; round < 50'000; ++round) {
    std::string bytes = whole;
    for (uint64_t i = 1 + random() % 4; i > 0; --i) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const absl::StatusOr<Json> value = DecodeCbor(bytes);
    if (!value.ok()) {
      ASSERT_EQ(value.status().code(), absl::StatusCode::kDataLoss);
    } else if (value->is_object()) {
      ASSERT_TRUE(ValidatePayload(*value, "damaged").ok()) << Hex(bytes);
    }
  }
}

}  // namespace
}  // namespace vettore
