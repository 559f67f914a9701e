// Every kernel of every instruction set that this machine runs, against double precision.
#include "simd/kernels.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "simd/guarded_memory.h"
#include "simd/reference.h"

namespace vettore::simd {
namespace {

class KernelsTest : public testing::TestWithParam<const Kernels*> {};

TEST_P(KernelsTest, OneToOneAgreesWithDoubleOnEveryLength) {
  std::mt19937 random(7);
  for (const size_t dim : TestedLengths()) {
    const std::vector<float> a = RandomVector(dim, random);
    const std::vector<float> b = RandomVector(dim, random);
    const Reference wanted = ReferenceOf(a.data(), b.data(), dim);
    EXPECT_NEAR(GetParam()->l2_squared(a.data(), b.data(), dim), wanted.l2_squared,
                wanted.l2_tolerance)
        << "dim " << dim;
    EXPECT_NEAR(GetParam()->inner_product(a.data(), b.data(), dim), wanted.inner_product,
                wanted.inner_product_tolerance)
        << "dim " << dim;
    EXPECT_NEAR(GetParam()->l1(a.data(), b.data(), dim), wanted.l1, wanted.l1_tolerance)
        << "dim " << dim;
  }
}

TEST_P(KernelsTest, OneToFourAgreesWithDoubleOnEveryLength) {
  std::mt19937 random(8);
  for (const size_t dim : TestedLengths()) {
    const std::vector<float> query = RandomVector(dim, random);
    std::vector<std::vector<float>> rows;
    for (int i = 0; i < 4; ++i) rows.push_back(RandomVector(dim, random));
    const float* const pointers[4] = {rows[0].data(), rows[1].data(), rows[2].data(),
                                      rows[3].data()};
    float l2_squared[4];
    float inner_product[4];
    GetParam()->l2_squared_to_4(query.data(), pointers, dim, l2_squared);
    GetParam()->inner_product_to_4(query.data(), pointers, dim, inner_product);
    float l1[4];
    GetParam()->l1_to_4(query.data(), pointers, dim, l1);
    for (int i = 0; i < 4; ++i) {
      const Reference wanted = ReferenceOf(query.data(), pointers[i], dim);
      EXPECT_NEAR(l2_squared[i], wanted.l2_squared, wanted.l2_tolerance) << dim << " row " << i;
      EXPECT_NEAR(inner_product[i], wanted.inner_product, wanted.inner_product_tolerance)
          << dim << " row " << i;
      EXPECT_NEAR(l1[i], wanted.l1, wanted.l1_tolerance) << dim << " row " << i;
    }
  }
}

TEST_P(KernelsTest, OneToOneGivesTheBitsOfOneToFour) {
  std::mt19937 random(10);
  for (const size_t dim : TestedLengths()) {
    const std::vector<float> a = RandomVector(dim, random);
    const std::vector<float> b = RandomVector(dim, random);
    const float* const rows[4] = {a.data(), b.data(), a.data(), b.data()};
    float out[4];
    GetParam()->l2_squared_to_4(a.data(), rows, dim, out);
    EXPECT_EQ(GetParam()->l2_squared(a.data(), b.data(), dim), out[1]) << "dim " << dim;
    EXPECT_EQ(GetParam()->l2_squared(a.data(), b.data(), dim), out[3]) << "dim " << dim;
    GetParam()->inner_product_to_4(a.data(), rows, dim, out);
    EXPECT_EQ(GetParam()->inner_product(a.data(), b.data(), dim), out[3]) << "dim " << dim;
    GetParam()->l1_to_4(a.data(), rows, dim, out);
    EXPECT_EQ(GetParam()->l1(a.data(), b.data(), dim), out[3]) << "dim " << dim;
  }
}

// So that four queries can be measured by one row with the kernel of one query and four rows.
TEST_P(KernelsTest, ExchangingQueryAndRowChangesNoBit) {
  std::mt19937 random(12);
  for (const size_t dim : TestedLengths()) {
    const std::vector<float> row = RandomVector(dim, random);
    std::vector<std::vector<float>> queries;
    for (int i = 0; i < 4; ++i) queries.push_back(RandomVector(dim, random));
    const float* const pointers[4] = {queries[0].data(), queries[1].data(), queries[2].data(),
                                      queries[3].data()};
    const auto check = [&](DistanceTo4Fn four, DistanceFn one) {
      float out[4];
      four(row.data(), pointers, dim, out);
      for (int i = 0; i < 4; ++i) EXPECT_EQ(out[i], one(pointers[i], row.data(), dim)) << dim;
    };
    check(GetParam()->l2_squared_to_4, GetParam()->l2_squared);
    check(GetParam()->inner_product_to_4, GetParam()->inner_product);
    check(GetParam()->l1_to_4, GetParam()->l1);
  }
}

// The rows stand apart by more than their length, are asked for out of order and more than once.
TEST_P(KernelsTest, OneToManyGivesTheBitsOfOneToOneForEachRowAskedFor) {
  std::mt19937 random(11);
  constexpr uint32_t kRows = 50;
  for (const size_t dim : {1, 7, 64, 100, 384, 1536}) {
    const size_t stride = dim + 3;
    const std::vector<float> query = RandomVector(dim, random);
    const std::vector<float> table = RandomVector(kRows * stride, random);
    for (const size_t count : {0, 1, 3, 4, 5, 77}) {
      std::vector<uint32_t> numbers(count);
      for (uint32_t& number : numbers) number = static_cast<uint32_t>(random() % kRows);
      const Gather<float> rows{.base = table.data(),
                               .stride_bytes = stride * sizeof(float),
                               .numbers = numbers.data(),
                               .count = count};
      const auto check = [&](DistanceToManyFn many, DistanceFn one) {
        std::vector<float> out(count + 1, -7);
        many(query.data(), rows, dim, out.data());
        for (size_t i = 0; i < count; ++i) {
          EXPECT_EQ(out[i], one(query.data(), table.data() + numbers[i] * stride, dim))
              << "dim " << dim << " place " << i;
        }
        EXPECT_EQ(out[count], -7) << "written past the end";
      };
      check(GetParam()->l2_squared_to_many, GetParam()->l2_squared);
      check(GetParam()->inner_product_to_many, GetParam()->inner_product);
      check(GetParam()->l1_to_many, GetParam()->l1);
    }
  }
}

TEST_P(KernelsTest, AnyAlignmentGivesTheSameBits) {
  std::mt19937 random(9);
  for (const size_t dim : {1, 5, 8, 13, 31, 64, 100, 129}) {
    const std::vector<float> a = RandomVector(dim, random);
    const std::vector<float> b = RandomVector(dim, random);
    const float wanted = GetParam()->l2_squared(a.data(), b.data(), dim);
    for (size_t shift = 1; shift < 16; ++shift) {
      std::vector<float> moved_a(dim + shift);
      std::vector<float> moved_b(dim + 2 * shift);
      std::copy(a.begin(), a.end(), moved_a.begin() + static_cast<ptrdiff_t>(shift));
      std::copy(b.begin(), b.end(), moved_b.begin() + static_cast<ptrdiff_t>(2 * shift));
      EXPECT_EQ(GetParam()->l2_squared(moved_a.data() + shift, moved_b.data() + 2 * shift, dim),
                wanted)
          << "dim " << dim << " shift " << shift;
    }
  }
}

TEST_P(KernelsTest, NothingPastTheEndIsRead) {
  constexpr size_t kMostFloats = 200;
  GuardedMemory a_memory(kMostFloats * sizeof(float));
  GuardedMemory b_memory(kMostFloats * sizeof(float));
  for (size_t dim = 0; dim <= kMostFloats; ++dim) {
    const float* const a = a_memory.Put(std::vector<float>(dim, 1));
    const float* const b = b_memory.Put(std::vector<float>(dim, 3));
    const float* const rows[4] = {b, b, b, b};
    float out[4];
    EXPECT_EQ(GetParam()->l2_squared(a, b, dim), static_cast<float>(4 * dim));
    EXPECT_EQ(GetParam()->inner_product(a, b, dim), static_cast<float>(3 * dim));
    EXPECT_EQ(GetParam()->l1(a, b, dim), static_cast<float>(2 * dim));
    GetParam()->l2_squared_to_4(a, rows, dim, out);
    EXPECT_EQ(out[3], static_cast<float>(4 * dim));
    GetParam()->inner_product_to_4(a, rows, dim, out);
    EXPECT_EQ(out[0], static_cast<float>(3 * dim));
    GetParam()->l1_to_4(a, rows, dim, out);
    EXPECT_EQ(out[1], static_cast<float>(2 * dim));
  }
}

INSTANTIATE_TEST_SUITE_P(EachInstructionSet, KernelsTest, testing::ValuesIn(Available()),
                         [](const testing::TestParamInfo<const Kernels*>& row) {
                           return std::string(NameOf(row.param->set));
                         });

TEST(Dispatch, TheScalarTableIsAlwaysThereAndFirst) {
  ASSERT_FALSE(Available().empty());
  EXPECT_EQ(Available().front()->set, InstructionSet::kScalar);
}

TEST(Dispatch, TheTablesAscend) {
  const std::vector<const Kernels*> tables = Available();
  for (size_t i = 1; i < tables.size(); ++i) EXPECT_LT(tables[i - 1]->set, tables[i]->set);
}

// The choice is made once a process, so each wish is put to a fresh one.
InstructionSet ActiveWhenWished(const char* wish) {
  int code = -1;
  const pid_t child = fork();
  if (child == 0) {
    setenv("VETTORE_SIMD", wish, 1);
    _exit(static_cast<int>(Active().set));
  }
  int state = 0;
  if (waitpid(child, &state, 0) == child && WIFEXITED(state)) code = WEXITSTATUS(state);
  return static_cast<InstructionSet>(code);
}

TEST(Dispatch, TheEnvironmentLowersTheInstructionSet) {
  EXPECT_EQ(ActiveWhenWished("scalar"), InstructionSet::kScalar);
  EXPECT_LE(ActiveWhenWished("neon"), InstructionSet::kNeon);
  EXPECT_LE(ActiveWhenWished("avx2"), InstructionSet::kAvx2);
}

TEST(Dispatch, TheEnvironmentNeverRaisesItPastTheMachine) {
  EXPECT_EQ(ActiveWhenWished("avx512"), Available().back()->set);
}

TEST(Dispatch, AnUnknownWishIsIgnored) {
  EXPECT_EQ(ActiveWhenWished("mmx"), Available().back()->set);
}

}  // namespace
}  // namespace vettore::simd
