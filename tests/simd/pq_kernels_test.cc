// Every product quantization kernel of every instruction set that this machine runs, against double
// precision and plain loops.
#include "simd/pq_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace vettore::simd {
namespace {

class PqKernelsTest : public testing::TestWithParam<const PqKernels*> {
 protected:
  std::vector<float> Floats(size_t count) {
    std::uniform_real_distribution<float> value(-2, 2);
    std::vector<float> floats(count);
    for (float& entry : floats) entry = value(random_);
    return floats;
  }
  std::vector<uint8_t> Bytes(size_t count, uint32_t below) {
    std::vector<uint8_t> bytes(count);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_() % below);
    return bytes;
  }

  std::mt19937 random_{7};
};

// A codebook of random words with their half norms.
struct Words {
  Words(std::vector<float> floats, size_t parts, size_t width, size_t count)
      : values(std::move(floats)), half_norms(parts * count), m(parts), dsub(width), ksub(count) {
    for (size_t s = 0; s < m; ++s) {
      for (size_t c = 0; c < ksub; ++c) {
        double norm = 0;
        for (size_t d = 0; d < dsub; ++d) norm += At(s, c, d) * At(s, c, d);
        half_norms[s * ksub + c] = static_cast<float>(norm / 2);
      }
    }
  }
  double At(size_t s, size_t c, size_t d) const { return values[(s * dsub + d) * ksub + c]; }
  PqCodebook book() const { return {values.data(), half_norms.data(), m, dsub, ksub}; }

  std::vector<float> values;
  std::vector<float> half_norms;
  size_t m;
  size_t dsub;
  size_t ksub;
};

TEST_P(PqKernelsTest, InnerProductsAndCodesAgreeWithDouble) {
  for (const size_t ksub : {16, 256}) {
    for (const size_t dsub : {1, 2, 3, 8}) {
      constexpr size_t kParts = 5;
      const Words words(Floats(kParts * dsub * ksub), kParts, dsub, ksub);
      const std::vector<float> vector = Floats(kParts * dsub);
      std::vector<float> products(kParts * ksub);
      std::vector<uint8_t> codes(kParts);
      GetParam()->inner_products(words.book(), vector.data(), products.data());
      GetParam()->encode(words.book(), vector.data(), codes.data());
      for (size_t s = 0; s < kParts; ++s) {
        double least = std::numeric_limits<double>::infinity();
        double chosen = 0;
        for (size_t c = 0; c < ksub; ++c) {
          double product = 0;
          double distance = 0;
          for (size_t d = 0; d < dsub; ++d) {
            const double x = vector[s * dsub + d];
            product += x * words.At(s, c, d);
            distance += (x - words.At(s, c, d)) * (x - words.At(s, c, d));
          }
          EXPECT_NEAR(products[s * ksub + c], product, 1e-4);
          least = std::min(least, distance);
          if (c == codes[s]) chosen = distance;
        }
        EXPECT_NEAR(chosen, least, 1e-4) << "ksub " << ksub << " dsub " << dsub;
      }
    }
  }
}

TEST_P(PqKernelsTest, TheFirstOfEqualCodewordsIsTheCode) {
  const Words words(std::vector<float>(16, 1), 1, 1, 16);
  const float vector = 3;
  uint8_t code = 9;
  GetParam()->encode(words.book(), &vector, &code);
  EXPECT_EQ(code, 0);
}

TEST_P(PqKernelsTest, ANumberThatIsNoneHasACodeAllTheSame) {
  const Words words(Floats(16), 1, 1, 16);
  const float vector = std::numeric_limits<float>::quiet_NaN();
  uint8_t code = 9;
  GetParam()->encode(words.book(), &vector, &code);
  EXPECT_EQ(code, 0);
}

TEST_P(PqKernelsTest, TablesAreQuantizedDownwards) {
  constexpr size_t kTables = 9;
  const std::vector<float> tables = Floats(kTables * 16);
  std::vector<float> smallest(kTables);
  std::vector<float> ranges(kTables);
  GetParam()->table_ranges(tables.data(), kTables, smallest.data(), ranges.data());
  for (size_t t = 0; t < kTables; ++t) {
    const auto begin = tables.begin() + static_cast<ptrdiff_t>(16 * t);
    EXPECT_EQ(smallest[t], *std::min_element(begin, begin + 16));
    EXPECT_FLOAT_EQ(ranges[t], *std::max_element(begin, begin + 16) - smallest[t]);
    const float scale = 200 / ranges[t];
    std::vector<uint8_t> bytes(32);
    GetParam()->quantize_table(tables.data() + 16 * t, smallest[t], scale, bytes.data());
    for (size_t c = 0; c < 16; ++c) {
      EXPECT_EQ(bytes[c],
                static_cast<uint8_t>((begin[static_cast<ptrdiff_t>(c)] - smallest[t]) * scale));
      EXPECT_EQ(bytes[16 + c], bytes[c]);
    }
  }
}

// Tables whose entries may fill their bytes and words to the brim, codes of every value.
TEST_P(PqKernelsTest, AFourBitScanAddsWhatTheCodesName) {
  for (const size_t pairs : {2, 4, 6, 8, 10, 16, 22, 96, 1024}) {
    // Eight entries share a byte: of four pairs, two halves each.
    const std::vector<uint8_t> entries = Bytes(pairs * 2 * 16, pairs > 1000 ? 16 : 32);
    std::vector<uint8_t> tables(pairs / 2 * 128);
    for (size_t pair = 0; pair < pairs; ++pair) {
      for (size_t i = 0; i < 64; ++i) {
        const size_t half = i / 32;
        tables[pair / 2 * 128 + half * 64 + pair % 2 * 32 + i % 32] =
            entries[(pair * 2 + half) * 16 + i % 16];
      }
    }
    const std::vector<uint8_t> codes = Bytes(pairs * 32, 256);
    const std::vector<float> biases = Floats(32);
    std::vector<double> wanted(32);
    for (size_t i = 0; i < 32; ++i) {
      int sum = 0;
      for (size_t pair = 0; pair < pairs; ++pair) {
        const uint8_t code = codes[pair * 32 + i];
        sum += entries[pair * 32 + (code & 15)] + entries[pair * 32 + 16 + (code >> 4)];
      }
      wanted[i] = 5.0 + biases[i] + 0.25 * sum;
    }
    std::vector<double> sorted = wanted;
    std::sort(sorted.begin(), sorted.end());
    const auto limit = static_cast<float>((sorted[11] + sorted[12]) / 2);
    std::vector<float> out(32);
    const uint32_t mask = GetParam()->scan4(
        {tables.data(), pairs, 0.25F}, {codes.data(), biases.data()}, {5.0F, limit}, out.data());
    for (size_t i = 0; i < 32; ++i) {
      EXPECT_NEAR(out[i], wanted[i], 1e-2) << "pairs " << pairs << " row " << i;
      EXPECT_EQ((mask >> i & 1) != 0, out[i] <= limit) << "pairs " << pairs << " row " << i;
    }
    EXPECT_EQ(std::count_if(wanted.begin(), wanted.end(), [&](double w) { return w <= limit; }),
              12);
    // The same products, from 3 on and times each row's factor.
    const std::vector<float> factors = Floats(32);
    GetParam()->scan4({tables.data(), pairs, 0.25F}, {codes.data(), biases.data(), factors.data()},
                      {5.0F, 1e30F, 3.0F}, out.data());
    for (size_t i = 0; i < 32; ++i) {
      const double base = 5.0 + biases[i];
      const double product = 3.0 + wanted[i] - base;
      EXPECT_NEAR(out[i], base + factors[i] * product, 1e-2) << "pairs " << pairs << " row " << i;
    }
  }
}

TEST_P(PqKernelsTest, AnEightBitScanAddsWhatTheCodesName) {
  for (const size_t m : {1, 7, 48}) {
    const std::vector<float> tables = Floats(m * 256);
    const std::vector<uint8_t> codes = Bytes(m * 32, 256);
    const std::vector<float> biases = Floats(32);
    std::vector<float> out(32);
    const uint32_t mask = GetParam()->scan8(tables.data(), m, {codes.data(), biases.data()},
                                            {0.75F, 0.5F, 0.25F}, out.data());
    for (size_t i = 0; i < 32; ++i) {
      double wanted = 1.0 + biases[i];
      for (size_t j = 0; j < m; ++j) wanted += tables[j * 256 + codes[j * 32 + i]];
      EXPECT_NEAR(out[i], wanted, 1e-3) << "m " << m << " row " << i;
      EXPECT_EQ((mask >> i & 1) != 0, out[i] <= 0.5F);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EachInstructionSet, PqKernelsTest, testing::ValuesIn(AvailablePq()),
                         [](const testing::TestParamInfo<const PqKernels*>& row) {
                           return std::string(NameOf(row.param->set));
                         });

}  // namespace
}  // namespace vettore::simd
