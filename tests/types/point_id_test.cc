#include "types/point_id.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash_testing.h"
#include "types/limits.h"

namespace vettore {
namespace {

PointId Text(std::string_view text) { return PointId::Parse(text).value(); }

// In their order: numbers by value, then texts by bytes.
std::vector<PointId> Ordered() {
  return {PointId(0),
          PointId(1),
          PointId(255),
          PointId(256),
          PointId(uint64_t{1} << 63),
          PointId(std::numeric_limits<uint64_t>::max()),
          Text("0"),
          Text("A"),
          Text("a"),
          Text("aa"),
          Text("b"),
          Text("\xC3\xA9"),
          Text("\xF0\x9F\x98\x80")};
}

TEST(PointId, OrderIsNumbersThenTextsByBytes) {
  const std::vector<PointId> ids = Ordered();
  for (size_t i = 0; i < ids.size(); ++i) {
    for (size_t j = 0; j < ids.size(); ++j) {
      EXPECT_EQ(ids[i] < ids[j], i < j) << i << " " << j;
      EXPECT_EQ(ids[i] == ids[j], i == j) << i << " " << j;
    }
  }
}

TEST(PointId, EncodedBytesHaveTheOrderOfTheIdsAndComeBack) {
  const std::vector<PointId> ids = Ordered();
  for (size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(PointId::Decode(ids[i].Encode()).value(), ids[i]);
    if (i > 0) {
      EXPECT_LT(ids[i - 1].Encode(), ids[i].Encode());
    }
  }
}

TEST(PointId, GoldenBytes) {
  EXPECT_EQ(PointId(0x0102030405060708).Encode(),
            std::string("\0\x01\x02\x03\x04\x05\x06\x07\x08", 9));
  EXPECT_EQ(Text("ab").Encode(),
            "\x01"
            "ab");
}

TEST(PointId, TextHas1To256BytesOfUtf8WithoutNul) {
  EXPECT_TRUE(PointId::Parse(std::string(limits::kIdBytes, 'x')).ok());
  EXPECT_EQ(std::string(PointId::Parse(std::string(300, 'x')).status().message()),
            "id: a text id has 1 to 256 bytes, got 300");
  EXPECT_FALSE(PointId::Parse("").ok());
  EXPECT_EQ(std::string(PointId::Parse("ab\xFF").status().message()),
            "id 'ab\\xff': invalid UTF-8 at byte offset 2");
  EXPECT_FALSE(PointId::Parse(std::string_view("a\0b", 3)).ok());
  for (const absl::Status& status :
       {PointId::Parse("").status(), PointId::Parse("\xFF").status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(PointId, DamagedBytesAreDataLoss) {
  for (const std::string& bytes :
       {std::string(), std::string("\0", 1), std::string(8, '\0'), std::string(10, '\0'),
        std::string("\x01"), std::string("\x01\xFF"),
        std::string("\x02"
                    "ab"),
        "\x01" + std::string(257, 'x')}) {
    EXPECT_EQ(PointId::Decode(bytes).status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST(PointId, MessagesQuoteTextsAndEscapeThem) {
  EXPECT_EQ(PointId(17).ToString(), "17");
  EXPECT_EQ(Text("17").ToString(), "'17'");
  EXPECT_EQ(Text("a\n\xC3\xA9").ToString(), "'a\\n\xC3\xA9'");
}

TEST(PointId, HashAgreesWithEquality) {
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(Ordered()));
  const absl::flat_hash_set<PointId> ids = {PointId(17), Text("17"), PointId(17)};
  EXPECT_EQ(ids.size(), 2u);
}

}  // namespace
}  // namespace vettore
