// Points as JSON Lines, and the lines themselves.
#include "cli/format/point_records.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "cli/format/json_record.h"
#include "cli/input_files.h"

namespace vettore {
namespace {

using testing::ElementsAre;
using testing::Pair;

class PointRecordsTest : public InputFiles {};

TEST_F(PointRecordsTest, RecordIsReadAndWrittenBackExactly) {
  for (
      const std::string line :
      {R"({"id":18446744073709551615,"vector":[0.1,-2.0,3e-05],"payload":{"n":9223372036854775807}})",
       R"({"id":"b","vectors":{"":[1.0],"title":[0.25,2.0]},"payload":{"a":[1,1.0,null,"x"]}})",
       R"({"id":0,"payload":{}})"}) {
    const absl::StatusOr<PointRecord> record = ParsePointRecord(line);
    ASSERT_TRUE(record.ok()) << record.status();
    const absl::StatusOr<PointRecord> again = ParsePointRecord(FormatPointRecord(*record));
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->id, record->id);
    EXPECT_EQ(again->vectors, record->vectors);
    EXPECT_EQ(again->payload.dump(), record->payload.dump());
  }
}

TEST_F(PointRecordsTest, EveryFloatReadsBackAsItself) {
  const uint32_t seed = 20260614;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  PointRecord record;
  std::vector<float>& values = record.vectors.emplace_back("", std::vector<float>()).second;
  while (values.size() < 20'000) {
    const float value = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (std::isfinite(value)) values.push_back(value);
  }
  values.push_back(std::numeric_limits<float>::denorm_min());
  values.push_back(std::numeric_limits<float>::max());
  const absl::StatusOr<PointRecord> again = ParsePointRecord(FormatPointRecord(record));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->vectors.front().second, values);
}

TEST_F(PointRecordsTest, WrongRecordsAreNamed) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"vector":[1]})", "no \"id\""},
      {R"({"id":-1})", "got -1"},
      {R"({"id":1.5})", "got 1.5"},
      {R"({"id":""})", "id"},
      {R"({"id":1,"vector":[1,"x"]})", "[1]: a number is wanted, got string"},
      {R"({"id":1,"vector":[1e39]})", "range of f32"},
      {R"({"id":1,"vector":{}})", "array of numbers"},
      {R"({"id":1,"vectors":[1]})", "names and arrays"},
      {R"({"id":1,"vector":[1],"vectors":{}})", "together"},
      {R"({"id":1,"payload":[1]})", "payload"},
      {R"({"id":1,"payload":{"n":9223372036854775808}})", "payload"},
      {R"({"id":1,"payload":{"n":18446744073709551616}})", "does not fit 64 bits"},
      {R"({"id":1,"colour":2})", "unknown key \"colour\""},
      {R"({"id":1,"id":2})", "\"id\" twice"},
      {R"({"id":1)", "byte"},
      {R"([1])", "got array"},
      {"{\"id\":\"\xFF\"}", "byte"},
  };
  for (const auto& [line, part] : cases) {
    SCOPED_TRACE(line);
    ExpectInvalid(ParsePointRecord(line), {part});
  }
}

TEST_F(PointRecordsTest, DeepNestingIsRefusedWithoutRecursion) {
  const std::string deep(100'000, '[');
  ExpectInvalid(ParsePointRecord("{\"id\":1,\"payload\":{\"a\":" + deep), {"nested deeper"});
}

TEST_F(PointRecordsTest, ReaderNamesTheLineAndGoesOn) {
  PointRecordReader reader(
      FileOf("\xEF\xBB\xBF{\"id\":1}\r\n\n{\"id\":}\n  \n{\"id\":3}"));  // No newline at the end.
  EXPECT_EQ((*reader.Next())->id, PointId(1));
  ExpectInvalid(reader.Next(), {"input:3", "byte 6"});
  EXPECT_EQ((*reader.Next())->id, PointId(3));
  EXPECT_THAT(reader.where(), testing::HasSubstr("input:5"));
  EXPECT_FALSE(reader.Next()->has_value());
  EXPECT_EQ(reader.consumed_bytes(), *reader.size());
}

TEST_F(PointRecordsTest, LineReaderPassesOverALongLineInBoundedMemory) {
  std::string text = "short\n";
  text += std::string(1'000'000, 'x') + "\nafter\n";
  LineReader lines(FileOf(text), 100);
  EXPECT_EQ((*lines.Next())->text, "short");
  ExpectInvalid(lines.Next(), {"input:2", "at most 100"});
  const absl::StatusOr<std::optional<Line>> after = lines.Next();
  ASSERT_TRUE(after.ok() && after->has_value());
  EXPECT_EQ((*after)->text, "after");
  EXPECT_EQ((*after)->number, 3u);
  EXPECT_EQ((*after)->offset, 1'000'007u);
  EXPECT_FALSE(lines.Next()->has_value());
}

TEST_F(PointRecordsTest, LinesThatCrossBlocksAreWhole) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i) + std::string(i % 23, '.') + "\n";
  LineReader lines(FileOf(text), 100);
  for (int i = 0; i < 20'000; ++i) {
    const absl::StatusOr<std::optional<Line>> line = lines.Next();
    ASSERT_TRUE(line.ok() && line->has_value());
    ASSERT_EQ((*line)->text, std::to_string(i) + std::string(i % 23, '.'));
  }
  EXPECT_FALSE(lines.Next()->has_value());
}

}  // namespace
}  // namespace vettore
