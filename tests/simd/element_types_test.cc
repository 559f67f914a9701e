#include "simd/element_types.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace vettore::simd {
namespace {

// From the definition of the format, in double precision.
double Meaning(uint16_t bits, int exponent_bits) {
  const int fraction_bits = 15 - exponent_bits;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1);
  const double fraction = std::ldexp(bits & ((1 << fraction_bits) - 1), -fraction_bits);
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) {
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
  }
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias);
  return sign * std::ldexp(1 + fraction, exponent - bias);
}

TEST(Float16, EveryPatternMeansWhatTheFormatSays) {
  for (uint32_t bits = 0; bits < 65'536; ++bits) {
    const double wanted = Meaning(static_cast<uint16_t>(bits), 5);
    const float got = ToFloat(static_cast<Float16>(bits));
    EXPECT_EQ(std::isnan(got), std::isnan(wanted)) << bits;
    if (!std::isnan(wanted)) {
      EXPECT_EQ(got, wanted) << bits;
    }
    EXPECT_EQ(std::signbit(got), (bits & 0x8000U) != 0) << bits;
  }
}

TEST(BFloat16, EveryPatternMeansWhatTheFormatSays) {
  for (uint32_t bits = 0; bits < 65'536; ++bits) {
    const double wanted = Meaning(static_cast<uint16_t>(bits), 8);
    const float got = ToFloat(static_cast<BFloat16>(bits));
    EXPECT_EQ(std::isnan(got), std::isnan(wanted)) << bits;
    if (!std::isnan(wanted)) {
      EXPECT_EQ(got, wanted) << bits;
    }
  }
}

TEST(Float16, EveryValueComesBackFromAFloat) {
  for (uint32_t bits = 0; bits < 65'536; ++bits) {
    const auto half = static_cast<Float16>(bits);
    const float value = ToFloat(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(ToFloat(ToFloat16(value)))) << bits;
    } else {
      EXPECT_EQ(ToFloat16(value), half) << bits;
    }
  }
}

TEST(BFloat16, EveryValueComesBackFromAFloat) {
  for (uint32_t bits = 0; bits < 65'536; ++bits) {
    const auto half = static_cast<BFloat16>(bits);
    const float value = ToFloat(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(ToFloat(ToBFloat16(value)))) << bits;
    } else {
      EXPECT_EQ(ToBFloat16(value), half) << bits;
    }
  }
}

// Between neighbours: the middle goes to the even one, what is past it to the nearer.
template <typename Half, typename Narrow>
void ExpectNearest(uint32_t largest, Narrow narrow) {
  for (uint32_t bits = 0; bits < largest; ++bits) {
    const float low = ToFloat(static_cast<Half>(bits));
    const float high = ToFloat(static_cast<Half>(bits + 1));
    const float middle = low + (high - low) / 2;
    const auto even = static_cast<Half>(bits % 2 == 0 ? bits : bits + 1);
    EXPECT_EQ(narrow(middle), even) << bits;
    EXPECT_EQ(narrow(std::nextafter(middle, low)), static_cast<Half>(bits)) << bits;
    EXPECT_EQ(narrow(std::nextafter(middle, high)), static_cast<Half>(bits + 1)) << bits;
    EXPECT_EQ(narrow(-std::nextafter(middle, high)), static_cast<Half>((bits + 1) | 0x8000U));
  }
}

TEST(Float16, AFloatGoesToTheNearest) { ExpectNearest<Float16>(0x7BFF, ToFloat16); }

TEST(BFloat16, AFloatGoesToTheNearest) { ExpectNearest<BFloat16>(0x7F7F, ToBFloat16); }

TEST(Float16, WhatIsPastTheRangeIsInfinite) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(ToFloat(ToFloat16(65'519.99F)), 65'504);
  EXPECT_EQ(ToFloat(ToFloat16(65'520)), infinity);
  EXPECT_EQ(ToFloat(ToFloat16(-1e30F)), -infinity);
  EXPECT_EQ(ToFloat(ToFloat16(infinity)), infinity);
  EXPECT_EQ(ToFloat(ToFloat16(1e-30F)), 0);
  EXPECT_EQ(ToFloat(ToBFloat16(std::numeric_limits<float>::max())), infinity);
}

}  // namespace
}  // namespace vettore::simd
