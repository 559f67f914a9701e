#include "embed/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "embed/float_formats.h"
#include "embed/tiny_model.h"
#include "support/temporary_directory.h"

namespace vettore {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SafetensorsTest : public ::testing::Test {
 protected:
  absl::StatusOr<SafetensorsFile> Open(std::string_view bytes) {
    Write(path(), bytes);
    return SafetensorsFile::Open(path());
  }
  absl::Status Refusal(const Json& header, std::string_view data = std::string(64, '\0')) {
    return Open(SafetensorsBytes(header, data)).status();
  }
  std::filesystem::path path() const { return dir_.path() / "model.safetensors"; }

 private:
  TemporaryDirectory dir_;
};

Json Entry(const char* dtype, Json shape, Json offsets) {
  return {{"dtype", dtype}, {"shape", std::move(shape)}, {"data_offsets", std::move(offsets)}};
}

TEST_F(SafetensorsTest, ReadsTheThreeFloatFormats) {
  const TestTensors tensors = {{"t", {{2, 2}, {0.5f, -0.25f, 0, 1.0f / 128}}}};
  for (FloatFormat format : {FloatFormat::kF32, FloatFormat::kF16, FloatFormat::kBf16}) {
    const auto file = Open(SafetensorsBytes(tensors, format));
    ASSERT_TRUE(file.ok()) << file.status();
    const auto values = file->Read("t", std::vector<uint64_t>{2, 2});
    ASSERT_TRUE(values.ok()) << values.status();
    EXPECT_THAT(*values, ElementsAre(0.5f, -0.25f, 0.0f, 1.0f / 128));
  }
}

TEST(FloatFormats, EveryF16IsItsValue) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const int exponent = static_cast<int>(bits >> 10 & 31);
    const int mantissa = static_cast<int>(bits & 1023);
    const float value = FloatOfF16(static_cast<uint16_t>(bits));
    if (exponent == 31) {
      EXPECT_EQ(std::isnan(value), mantissa != 0);
      EXPECT_EQ(std::isinf(value), mantissa == 0);
      continue;
    }
    const double magnitude =
        exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    EXPECT_EQ(value, (bits & 0x8000) != 0 ? -magnitude : magnitude) << bits;
  }
}

TEST_F(SafetensorsTest, AMissingTensorOrAnotherShapeNamesFileAndTensor) {
  const auto file = Open(SafetensorsBytes({{"t", {{2, 2}, {1, 2, 3, 4}}}}, FloatFormat::kF32));
  ASSERT_TRUE(file.ok());
  absl::Status status = file->Read("u", std::vector<uint64_t>{2}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("model.safetensors: tensor 'u'"));
  status = file->Read("t", std::vector<uint64_t>{4}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("shape [4], found [2, 2]"));
}

TEST_F(SafetensorsTest, IntegersAreNotReadAsFloats) {
  const auto file =
      Open(SafetensorsBytes({{"t", Entry("I32", {4}, {0, 16})}}, std::string(16, '\0')));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(std::string(file->Read("t", std::vector<uint64_t>{4}).status().message()),
              HasSubstr("dtype I32"));
}

TEST_F(SafetensorsTest, AFileCutAnywhereIsRefused) {
  const std::string whole =
      SafetensorsBytes({{"t", {{4}, {1, 2, 3, 4}}}, {"u", {{2}, {5, 6}}}}, FloatFormat::kF32);
  ASSERT_TRUE(Open(whole).ok());
  for (size_t size = 0; size < whole.size(); ++size) {
    const absl::Status status = Open(whole.substr(0, size)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << size << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("model.safetensors"));
  }
  EXPECT_THAT(std::string(Open(whole.substr(0, whole.size() - 1)).status().message()),
              HasSubstr("tensor 'u'"));
}

TEST_F(SafetensorsTest, ALyingHeaderLengthIsRefused) {
  std::string bytes = SafetensorsBytes({{"t", {{1}, {1}}}}, FloatFormat::kF32);
  for (uint64_t length :
       {uint64_t{1} << 27, uint64_t{1} << 63, std::numeric_limits<uint64_t>::max(),
        std::numeric_limits<uint64_t>::max() - 7}) {
    std::memcpy(bytes.data(), &length, sizeof length);
    EXPECT_EQ(Open(bytes).status().code(), absl::StatusCode::kInvalidArgument) << length;
  }
  const uint64_t past_end = bytes.size();
  std::memcpy(bytes.data(), &past_end, sizeof past_end);
  EXPECT_EQ(Open(bytes).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(SafetensorsTest, LyingTensorsAreRefusedByName) {
  const uint64_t huge = uint64_t{1} << 62;
  const Json refused[] = {
      Entry("F32", {4}, {0, 12}),           // Too few bytes for the shape.
      Entry("F32", {4}, {16, 0}),           // Backwards.
      Entry("F32", {-4}, {0, 16}),          // A negative size.
      Entry("F32", {huge, huge}, {0, 16}),  // A product past 64 bits,
      Entry("F32", {huge, 4}, {0, 0}),      // one that comes out as 0,
      Entry("F32", {huge}, {0, 0}),         // and one that does so with the element size.
      Entry("F32", {4}, {-16, 0}),          // Negative offsets.
      Entry("F32", {4}, {0.0, 16.0}),       // Fractions.
      Entry("F32", {4}, {0, 16, 32}),       // Three offsets.
      Entry("F32", "4", {0, 16}),           // No list.
      Entry("F99", {4}, {0, 16}),           // No such type.
      Entry("F32", Json::array({1, 1, 1, 1, 1, 1, 1, 1, 4}), {0, 16}),
      Json{{"dtype", "F32"}},
      Json(7),
      Json(),
  };
  for (const Json& entry : refused) {
    const absl::Status status = Refusal({{"bad", entry}});
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << entry << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("tensor 'bad'"));
  }
  const absl::Status past_end = Refusal({{"bad", Entry("F32", {4}, {56, 72})}});
  EXPECT_EQ(past_end.code(), absl::StatusCode::kDataLoss) << past_end;
  EXPECT_THAT(std::string(past_end.message()), HasSubstr("truncated"));
  const uint64_t top = std::numeric_limits<uint64_t>::max();
  EXPECT_EQ(Refusal({{"bad", Entry("F32", {4}, {top - 16, top})}}).code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(SafetensorsTest, OverlappingTensorsAreRefused) {
  const absl::Status status =
      Refusal({{"a", Entry("F32", {4}, {0, 16})}, {"b", Entry("F32", {4}, {12, 28})}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'a' and 'b' overlap"));
}

TEST_F(SafetensorsTest, AHeaderThatIsNoObjectIsRefused) {
  for (const char* header : {"", "[]", "{", "7", "{\"a\": }", "\xFF"}) {
    const uint64_t size = std::strlen(header);
    std::string bytes(reinterpret_cast<const char*>(&size), sizeof size);
    EXPECT_EQ(Open(bytes + header).status().code(), absl::StatusCode::kInvalidArgument) << header;
  }
}

TEST_F(SafetensorsTest, FlippedBytesNeverCrash) {
  const unsigned seed = 20240607;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::string whole =
      SafetensorsBytes({{"t", {{4}, {1, 2, 3, 4}}}, {"u", {{2}, {5, 6}}}}, FloatFormat::kF32);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = whole;
    for (int flips = 0; flips < 3; ++flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto file = Open(bytes);
    if (file.ok()) static_cast<void>(file->Read("t", std::vector<uint64_t>{4}).ok());
  }
}

}  // namespace
}  // namespace vettore
