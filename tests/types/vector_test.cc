#include "types/vector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "base/strings.h"

namespace vettore {
namespace {

using ::testing::HasSubstr;

constexpr float kMax = std::numeric_limits<float>::max();
constexpr float kDenormal = std::numeric_limits<float>::denorm_min();

double LengthOf(const std::vector<float>& vector) {
  double squared = 0;
  for (const float value : vector) squared += double{value} * double{value};
  return std::sqrt(squared);
}

std::string Fault(const std::vector<float>& vector, size_t dimension) {
  const absl::Status status = ValidateVector(vector, dimension, "vector 'title'");
  if (!status.ok()) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  }
  return std::string(status.message());
}

TEST(Vector, DimensionMustBeTheCollections) {
  EXPECT_EQ(Fault({1, 2}, 3), "vector 'title': dimension 2, collection expects 3");
  EXPECT_EQ(Fault({1, 2, 3}, 3), "");
  EXPECT_NE(Fault({}, 3), "");
}

TEST(Vector, EntriesMustBeFinite) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), HUGE_VALF, -HUGE_VALF}) {
    for (size_t at = 0; at < 5; ++at) {
      std::vector<float> vector(5, 1.0f);
      vector[at] = bad;
      EXPECT_THAT(Fault(vector, 5), HasSubstr(StrCat("entry ", at, " is ")));
    }
  }
  EXPECT_EQ(Fault({kMax, -kMax, kDenormal, -0.0f}, 4), "");
}

TEST(Vector, NormalizedVectorsHaveUnitLength) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2'000; ++round) {
    std::vector<float> vector(1 + random() % 800);
    const int scale = static_cast<int>(random() % 240) - 130;
    for (float& value : vector) {
      value = std::ldexp(std::normal_distribution<float>()(random), scale);
    }
    if (LengthOf(vector) == 0) continue;
    const std::vector<float> before = vector;
    ASSERT_TRUE(NormalizeVector(vector, "v").ok());
    ASSERT_NEAR(LengthOf(vector), 1, 1e-6) << "scale " << scale;
    ASSERT_EQ(std::signbit(vector[0]), std::signbit(before[0]));
  }
}

// Qdrant issue 10465: a vector of tiny entries was stored as it was, since its squared length
// vanished in float.
TEST(Vector, TinyNormsAreNormalizedToo) {
  for (const float tiny : {1e-20f, 1e-30f, 1e-38f, kDenormal}) {
    std::vector<float> vector = {3 * tiny, 4 * tiny};
    ASSERT_TRUE(NormalizeVector(vector, "v").ok());
    EXPECT_NEAR(vector[0], 0.6, 1e-6) << tiny;
    EXPECT_NEAR(vector[1], 0.8, 1e-6) << tiny;
  }
}

TEST(Vector, HugeNormsDoNotOverflow) {
  std::vector<float> vector(65'536, kMax);
  ASSERT_TRUE(NormalizeVector(vector, "v").ok());
  EXPECT_NEAR(LengthOf(vector), 1, 1e-6);
}

TEST(Vector, AVectorWithoutADirectionIsRefusedAndUnchanged) {
  std::vector<float> zeros(8, -0.0f);
  const absl::Status status = NormalizeVector(zeros, "vector 'title'");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("vector 'title': its length is zero"));
  EXPECT_EQ(zeros, std::vector<float>(8, 0.0f));
  std::vector<float> none;
  EXPECT_FALSE(NormalizeVector(none, "v").ok());
}

TEST(MatrixView, RowsLieOneAfterAnother) {
  const float data[] = {1, 2, 3, 4, 5, 6};
  const MatrixView matrix{data, 2, 3};
  EXPECT_EQ(matrix.row(1)[0], 4);
  EXPECT_EQ(matrix.row(1).size(), 3u);
}

}  // namespace
}  // namespace vettore
