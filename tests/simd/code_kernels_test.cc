// The code kernels against sums in 64 bits, on every instruction set of this machine.
#include "simd/code_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace vettore::simd {
namespace {

// A kind of codes, by what the header states of it.
struct Kind {
  const char* name;
  CodeProductsFn CodeKernels::*products;
  size_t step;         // Of dimensions.
  size_t line_values;  // In 64 bytes of a code.
  int max_query;
  int (*value)(const uint8_t* line, size_t j);
};

constexpr Kind kKinds[] = {
    {"Bytes", &CodeKernels::byte_products, kByteStep, kByteStep, kMaxByteQuery,
     [](const uint8_t* line, size_t j) -> int { return line[j]; }},
    {"Nibbles", &CodeKernels::nibble_products, kNibbleStep, kNibbleStep, kMaxNibbleQuery,
     [](const uint8_t* line, size_t j) -> int {
       return j < kNibbleStep / 2 ? line[j] & 15 : line[j - kNibbleStep / 2] >> 4;
     }},
    {"Bits", &CodeKernels::bit_products, kBitPlane, kBitStep, kMaxBitQuery,
     [](const uint8_t* line, size_t j) -> int { return line[j % kBitPlane] >> j / kBitPlane & 1; }},
};

struct Case {
  const CodeKernels* kernels;
  const Kind* kind;

  CodeProductsFn products() const { return kernels->*kind->products; }
  size_t code_bytes(size_t dim) const {
    return (dim + kind->line_values - 1) / kind->line_values * 64;
  }
  int Value(const uint8_t* code, size_t j) const {
    return kind->value(code + j / kind->line_values * 64, j % kind->line_values);
  }
};

class CodeKernelsTest : public testing::TestWithParam<Case> {
 protected:
  // One byte past an aligned address.
  void Check(size_t dim, const std::vector<int8_t>& query,
             const std::vector<std::vector<uint8_t>>& codes) {
    std::vector<const uint8_t*> pointers;
    for (const std::vector<uint8_t>& code : codes) pointers.push_back(code.data() + 1);
    std::vector<int32_t> out(codes.size() + 1, 12345);
    GetParam().products()(query.data() + 1, pointers.data(), pointers.size(), dim, out.data());
    for (size_t i = 0; i < codes.size(); ++i) {
      int64_t wanted = 0;
      for (size_t j = 0; j < dim; ++j) {
        wanted += int64_t{query[j + 1]} * GetParam().Value(pointers[i], j);
      }
      ASSERT_EQ(out[i], wanted) << "dim " << dim << ", code " << i << " of " << codes.size();
    }
    EXPECT_EQ(out.back(), 12345) << "written past the end";
  }
};

TEST_P(CodeKernelsTest, ProductsAreExact) {
  std::mt19937 random(11);
  const int max_query = GetParam().kind->max_query;
  std::uniform_int_distribution<int> query_value(-max_query, max_query);
  std::uniform_int_distribution<int> byte(0, 255);
  for (const size_t steps : {1, 2, 3, 7, 8, 9, 12, 25}) {
    const size_t dim = steps * GetParam().kind->step;
    for (size_t count = 0; count <= 9; ++count) {
      std::vector<int8_t> query(dim + 1);
      for (int8_t& value : query) value = static_cast<int8_t>(query_value(random));
      std::vector<std::vector<uint8_t>> codes(count,
                                              std::vector<uint8_t>(GetParam().code_bytes(dim) + 1));
      for (auto& code : codes) {
        for (uint8_t& value : code) value = static_cast<uint8_t>(byte(random));
      }
      Check(dim, query, codes);
    }
  }
}

TEST_P(CodeKernelsTest, TheLargestSumsDoNotOverflow) {
  for (const int sign : {-1, 1}) {
    const std::vector<int8_t> query(kMaxCodeDim + 1,
                                    static_cast<int8_t>(sign * GetParam().kind->max_query));
    const std::vector<std::vector<uint8_t>> codes(
        5, std::vector<uint8_t>(GetParam().code_bytes(kMaxCodeDim) + 1, 255));
    Check(kMaxCodeDim, query, codes);
  }
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const CodeKernels* kernels : AvailableCodeKernels()) {
    for (const Kind& kind : kKinds) cases.push_back({kernels, &kind});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, CodeKernelsTest, testing::ValuesIn(Cases()),
                         [](const testing::TestParamInfo<Case>& row) {
                           return std::string(NameOf(row.param.kernels->set)) +
                                  row.param.kind->name + std::to_string(row.index);
                         });

class TransformTest : public testing::TestWithParam<const CodeKernels*> {};

TEST_P(TransformTest, TheHadamardTransformIsItsDefinition) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  for (const size_t size : {1, 2, 4, 8, 16, 64, 256}) {
    std::vector<float> values(size);
    std::vector<float> factors(size);
    for (float& value : values) value = normal(random);
    for (float& factor : factors) factor = normal(random);
    std::vector<float> transformed = values;
    GetParam()->hadamard_transform(transformed.data(), factors.data(), size);
    for (size_t i = 0; i < size; ++i) {
      double wanted = 0;
      for (size_t j = 0; j < size; ++j) {
        const double sign = __builtin_parityll(i & j) == 0 ? 1 : -1;
        wanted += sign * values[j] * factors[j];
      }
      EXPECT_NEAR(transformed[i], wanted, 1e-4) << size << " " << i;
    }
  }
}

TEST_P(TransformTest, DifferencesMagnitudesAndQuantaAreThoseOfPlainLoops) {
  std::mt19937 random(6);
  std::normal_distribution<float> normal;
  for (size_t dim = 1; dim <= 70; ++dim) {
    std::vector<float> a(dim);
    std::vector<float> b(dim);
    for (float& value : a) value = normal(random);
    for (float& value : b) value = normal(random);
    std::vector<float> difference(dim);
    const float squared = GetParam()->subtract(a.data(), b.data(), dim, difference.data());
    double wanted_squared = 0;
    float largest = 0;
    for (size_t i = 0; i < dim; ++i) {
      EXPECT_EQ(difference[i], a[i] - b[i]);
      wanted_squared += static_cast<double>(difference[i]) * difference[i];
      largest = std::max(largest, std::abs(difference[i]));
    }
    EXPECT_NEAR(squared, wanted_squared, 1e-5 * wanted_squared);
    EXPECT_EQ(GetParam()->largest_magnitude(difference.data(), dim), largest);
    std::vector<int8_t> quanta(dim + 1, 99);
    const float factor = 127 / largest;
    const int32_t sum = GetParam()->quantize(difference.data(), dim, factor, quanta.data());
    int32_t wanted_sum = 0;
    for (size_t i = 0; i < dim; ++i) {
      EXPECT_EQ(quanta[i], std::lrintf(difference[i] * factor));
      wanted_sum += quanta[i];
    }
    EXPECT_EQ(sum, wanted_sum);
    EXPECT_EQ(quanta[dim], 99) << "written past the end";
  }
}

INSTANTIATE_TEST_SUITE_P(All, TransformTest, testing::ValuesIn(AvailableCodeKernels()),
                         [](const testing::TestParamInfo<const CodeKernels*>& row) {
                           return std::string(NameOf(row.param->set)) + std::to_string(row.index);
                         });

}  // namespace
}  // namespace vettore::simd
