#include "base/hash.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace vettore {
namespace {

// The published value of the empty input, and values that must never change: slots and checksums on
// disk rest on them.
TEST(Hash, Hash64IsXxh3WithSeedZero) {
  EXPECT_EQ(Hash64(""), 0x2D06800538D394C2u);
  EXPECT_EQ(Hash64("a"), 0xE6C632B61E964E1Fu);
  EXPECT_EQ(Hash64("abc"), 0x78AF5F94892F3950u);
}

TEST(Hash, EveryByteOfALongInputCounts) {
  std::string bytes(1'000, 'x');
  const uint64_t before = Hash64(bytes);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = 'y';
    EXPECT_NE(Hash64(bytes), before) << "byte " << i;
    bytes[i] = 'x';
  }
}

std::string FingerprintOf(const std::vector<std::string_view>& parts) { return Fingerprint(parts); }

TEST(Hash, FingerprintIsXxh3Of128Bits) {
  EXPECT_EQ(FingerprintOf({}), "99aa06d3014798d86001c324468d497f");  // Published.
}

TEST(Hash, FingerprintTellsWhereOnePartEnds) {
  EXPECT_NE(FingerprintOf({"ab", "c"}), FingerprintOf({"a", "bc"}));
  EXPECT_NE(FingerprintOf({"ab"}), FingerprintOf({"ab", ""}));
  EXPECT_EQ(FingerprintOf({"ab", "c"}), FingerprintOf({"ab", "c"}));
  EXPECT_EQ(FingerprintOf({"ab"}).size(), 32u);
}

}  // namespace
}  // namespace vettore
