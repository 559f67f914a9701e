#include "payload/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "base/strings.h"

namespace vettore {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kTwoTo53 = int64_t{1} << 53;

TEST(Number, IntegersBeyond53BitsAreNotRounded) {
  EXPECT_TRUE(Compare(kTwoTo53, 0x1p53) == 0);
  EXPECT_TRUE(Compare(kTwoTo53 + 1, 0x1p53) > 0);
  EXPECT_TRUE(Compare(-kTwoTo53 - 1, -0x1p53) < 0);
  EXPECT_TRUE(Compare(kMax, 0x1p63) < 0);
  EXPECT_TRUE(Compare(kMin, -0x1p63) == 0);
  EXPECT_TRUE(Compare(kMin + 1, -0x1p63) > 0);
}

TEST(Number, FractionsInfinitiesAndZerosHaveTheirPlace) {
  EXPECT_TRUE(Compare(2, 2.5) < 0);
  EXPECT_TRUE(Compare(3, 2.5) > 0);
  EXPECT_TRUE(Compare(-2, -2.5) > 0);
  EXPECT_TRUE(Compare(-3, -2.5) < 0);
  EXPECT_TRUE(Compare(0, -0.0) == 0);
  EXPECT_TRUE(Compare(0, std::numeric_limits<double>::denorm_min()) < 0);
  EXPECT_TRUE(Compare(kMax, HUGE_VAL) < 0);
  EXPECT_TRUE(Compare(kMin, -HUGE_VAL) > 0);
  EXPECT_TRUE(Compare(0, std::nan("")) == std::partial_ordering::unordered);
}

// Long double holds every int64 and every double exactly on x86.
TEST(Number, ComparisonAgreesWithLongDouble) {
  static_assert(std::numeric_limits<long double>::digits >= 64);
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200'000; ++round) {
    const int64_t integer = static_cast<int64_t>(random()) >> (random() % 64);
    double number = static_cast<double>(integer);
    for (uint64_t steps = random() % 3; steps > 0; --steps) number = std::nextafter(number, 0x1p70);
    if (random() % 4 == 0) number += 0.5;
    ASSERT_TRUE(Compare(integer, number) ==
                (static_cast<long double>(integer) <=> static_cast<long double>(number)))
        << integer << " " << number;
  }
}

TEST(Number, ExactConversionsRefuseToRound) {
  EXPECT_EQ(ExactDouble(kTwoTo53), 0x1p53);
  EXPECT_EQ(ExactDouble(kTwoTo53 + 1), std::nullopt);
  EXPECT_EQ(ExactDouble(kMax), std::nullopt);
  EXPECT_EQ(ExactDouble(kMin), -0x1p63);
  EXPECT_EQ(ExactInteger(-0x1p63), kMin);
  EXPECT_EQ(ExactInteger(0x1p63), std::nullopt);
  EXPECT_EQ(ExactInteger(2.5), std::nullopt);
  EXPECT_EQ(ExactInteger(-0.0), 0);
  EXPECT_EQ(ExactInteger(std::nan("")), std::nullopt);
  EXPECT_EQ(ExactInteger(HUGE_VAL), std::nullopt);
}

}  // namespace
}  // namespace vettore
