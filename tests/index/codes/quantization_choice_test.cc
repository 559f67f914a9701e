// What auto picks.
#include "index/codes/quantization_choice.h"

#include <gtest/gtest.h>

#include <limits>

#include "index/codes/vector_codec.h"
#include "index/test_data.h"

namespace vettore {
namespace {

constexpr size_t kRoomForAll = std::numeric_limits<size_t>::max();

Quantization Picked(const CodeRoom& room) { return ResolveQuantization(Quantization::kAuto, room); }

TEST(QuantizationChoice, WithRoomItFollowsTheDimension) {
  EXPECT_EQ(Picked({.dim = 100, .count = 1'000'000, .bytes = kRoomForAll}), Quantization::kSq8);
  EXPECT_EQ(Picked({.dim = 384, .count = 1'000'000, .bytes = kRoomForAll}), Quantization::kSq4);
}

TEST(QuantizationChoice, TheFirstThatFitsIsPicked) {
  constexpr size_t kCount = 1'000;
  const size_t four_bits = kCount * VectorCodec::RowBytes(Quantization::kSq4, 384);
  EXPECT_EQ(Picked({.dim = 384, .count = kCount, .bytes = four_bits}), Quantization::kSq4);
  EXPECT_EQ(Picked({.dim = 384, .count = kCount, .bytes = four_bits - 1}), Quantization::kRaBitQ);
  const size_t eight_bits = kCount * VectorCodec::RowBytes(Quantization::kSq8, 200);
  EXPECT_EQ(Picked({.dim = 200, .count = kCount, .bytes = eight_bits}), Quantization::kSq8);
  EXPECT_EQ(Picked({.dim = 200, .count = kCount, .bytes = eight_bits - 1}), Quantization::kSq4);
}

TEST(QuantizationChoice, TheSmallestIsPickedWhenNoneFits) {
  EXPECT_EQ(Picked({.dim = 384, .count = 1, .bytes = 0}), Quantization::kRaBitQ);
  EXPECT_EQ(Picked({.dim = 200, .count = 1, .bytes = 0}), Quantization::kRaBitQ);
}

TEST(QuantizationChoice, ACoarserCodeMustBeShorter) {
  EXPECT_EQ(Picked({.dim = 64, .count = 1, .bytes = 0}), Quantization::kSq8);
  EXPECT_EQ(Picked({.dim = 100, .count = 1, .bytes = 0}), Quantization::kSq4);
}

TEST(QuantizationChoice, WhatIsWantedIsTakenWhateverTheRoom) {
  for (const Quantization wanted :
       {Quantization::kNone, Quantization::kSq8, Quantization::kSq4, Quantization::kRaBitQ}) {
    EXPECT_EQ(ResolveQuantization(wanted, {.dim = 384, .count = 1, .bytes = 0}), wanted);
  }
}

// The graph begins with fine codes, for which there is room then, and is rebuilt when there is no
// more; nothing is lost on the way.
TEST(QuantizationChoice, AGrowingIndexTurnsToCoarserCodes) {
  constexpr size_t kDim = 256;
  constexpr size_t kBefore = 4'500;
  constexpr size_t kAfter = 5'000;
  VectorSource source(kDim, Metric::kCosine, 3);
  const size_t row_bytes = 16 * 8 + 12 + VectorCodec::RowBytes(Quantization::kSq4, kDim);
  const auto index = MakeIndex(HnswConfig{.ef_construction = 40}, Metric::kCosine, kDim,
                               {.memory_bytes = kBefore * row_bytes});
  std::map<Slot, Vector> points;
  const auto grow = [&](size_t count) {
    while (points.size() < count) {
      const auto slot = static_cast<Slot>(points.size());
      points[slot] = source.Next();
      ASSERT_TRUE(index->Put(slot, points[slot]).ok());
    }
    WaitUntilIndexed(*index);
  };
  grow(kBefore);
  EXPECT_EQ(index->Stats().quantization, Quantization::kSq4);
  grow(kAfter);
  const absl::Time deadline = absl::Now() + absl::Minutes(2);
  while (index->Stats().quantization != Quantization::kRaBitQ && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_EQ(index->Stats().quantization, Quantization::kRaBitQ);
  EXPECT_EQ(index->Stats().live, kAfter);
  for (Slot slot = 0; slot < kAfter; slot += 100) {
    const auto found = MustSearch(*index, points[slot], NearestInGraph(1, 64));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].slot, slot);
  }
}

}  // namespace
}  // namespace vettore
