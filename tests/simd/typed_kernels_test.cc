// Every typed kernel of every instruction set that this machine runs, against double precision or
// exact integers.
#include "simd/typed_kernels.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "simd/code_kernels.h"
#include "simd/guarded_memory.h"
#include "simd/pq_kernels.h"
#include "simd/reference.h"
#include "simd/typed_reference.h"

namespace vettore::simd {
namespace {

// The three shapes of one distance agree to the bit with each other, and with the reference.
// rows: at least one, each of the query's length.
template <typename Query, typename Row, typename Result>
void ExpectAgreement(const Measure<Query, Row, Result>& measure, Wanted wanted,
                     const std::vector<Query>& query, const std::vector<std::vector<Row>>& rows) {
  const size_t dim = query.size();
  std::vector<Result> alone;
  for (const std::vector<Row>& row : rows) {
    alone.push_back(measure.one(query.data(), row.data(), dim));
    const Expected expected = wanted(Meanings(query), Meanings(row));
    EXPECT_NEAR(static_cast<double>(alone.back()), expected.value, expected.tolerance)
        << "dim " << dim;
  }

  for (size_t i = 0; i + 4 <= rows.size(); ++i) {
    const Row* const four[4] = {rows[i].data(), rows[i + 1].data(), rows[i + 2].data(),
                                rows[i + 3].data()};
    Result out[4];
    measure.to_4(query.data(), four, dim, out);
    for (size_t j = 0; j < 4; ++j) EXPECT_EQ(out[j], alone[i + j]) << "dim " << dim;
  }

  // One odd byte between rows: every alignment.
  const size_t stride = dim * sizeof(Row) + 1;
  std::vector<char> table(rows.size() * stride + 1);
  for (size_t i = 0; i < rows.size() && dim > 0; ++i) {
    std::memcpy(table.data() + i * stride, rows[i].data(), dim * sizeof(Row));
  }
  std::vector<uint32_t> numbers;
  for (size_t i = 0; i < 3 * rows.size() + 1; ++i) {
    numbers.push_back(static_cast<uint32_t>((7 * i + 3) % rows.size()));
  }
  std::vector<Result> out(numbers.size());
  measure.to_many(query.data(),
                  {.base = reinterpret_cast<const Row*>(table.data()),
                   .stride_bytes = stride,
                   .numbers = numbers.data(),
                   .count = numbers.size()},
                  dim, out.data());
  for (size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(out[i], alone[numbers[i]]) << "dim " << dim;
}

// On random elements, at every tested length.
template <typename Query, typename Row, typename Result>
void ExpectAgreementOnEveryLength(const Measure<Query, Row, Result>& measure, Wanted wanted) {
  std::mt19937 random(21);
  for (const size_t dim : TestedLengths()) {
    std::vector<std::vector<Row>> rows;
    for (int i = 0; i < 6; ++i) rows.push_back(RandomElements<Row>(dim, random));
    ExpectAgreement(measure, wanted, RandomElements<Query>(dim, random), rows);
  }
}

// Both sides end where a forbidden page begins, and the result is that of elsewhere.
template <typename Query, typename Row, typename Result>
void ExpectNothingReadPastTheEnd(const Measure<Query, Row, Result>& measure) {
  constexpr size_t kMost = 300;
  std::mt19937 random(22);
  GuardedMemory query_memory(kMost * sizeof(Query));
  GuardedMemory row_memory(kMost * sizeof(Row));
  for (size_t dim = 0; dim <= kMost; ++dim) {
    const std::vector<Query> query = RandomElements<Query>(dim, random);
    const std::vector<Row> row = RandomElements<Row>(dim, random);
    const Query* const guarded_query = query_memory.Put(query);
    const Row* const guarded_row = row_memory.Put(row);
    const Row* const four[4] = {guarded_row, guarded_row, guarded_row, guarded_row};
    const Result wanted = measure.one(query.data(), row.data(), dim);
    Result out[4];
    EXPECT_EQ(measure.one(guarded_query, guarded_row, dim), wanted) << "dim " << dim;
    measure.to_4(guarded_query, four, dim, out);
    EXPECT_EQ(out[3], wanted) << "dim " << dim;
    const uint32_t number = 0;
    measure.to_many(guarded_query,
                    {.base = guarded_row, .stride_bytes = 0, .numbers = &number, .count = 1}, dim,
                    out);
    EXPECT_EQ(out[0], wanted) << "dim " << dim;
  }
}

template <typename Query, typename Row, typename Result>
void ExpectAllAgree(const Measures<Query, Row, Result>& measures) {
  {
    SCOPED_TRACE("l2_squared");
    ExpectAgreementOnEveryLength(measures.l2_squared, WantedL2Squared<Result>);
    ExpectNothingReadPastTheEnd(measures.l2_squared);
  }
  {
    SCOPED_TRACE("inner_product");
    ExpectAgreementOnEveryLength(measures.inner_product, WantedInnerProduct<Result>);
    ExpectNothingReadPastTheEnd(measures.inner_product);
  }
  SCOPED_TRACE("l1");
  ExpectAgreementOnEveryLength(measures.l1, WantedL1<Result>);
  ExpectNothingReadPastTheEnd(measures.l1);
}

template <typename Table>
std::string NameOfTable(const testing::TestParamInfo<const Table*>& row) {
  return std::string(row.param->name);
}

class HalfKernelsTest : public testing::TestWithParam<const HalfKernels*> {};

TEST_P(HalfKernelsTest, FloatToFloat16) { ExpectAllAgree(GetParam()->f32_f16); }
TEST_P(HalfKernelsTest, Float16ToFloat16) { ExpectAllAgree(GetParam()->f16); }
TEST_P(HalfKernelsTest, FloatToBFloat16) { ExpectAllAgree(GetParam()->f32_bf16); }
TEST_P(HalfKernelsTest, BFloat16ToBFloat16) { ExpectAllAgree(GetParam()->bf16); }

// A product with one alone is the element: subnormals, infinities and all. At a whole vector and in
// its tail.
TEST_P(HalfKernelsTest, EveryPatternIsWidenedExactly) {
  const std::vector<float> one = {1};
  std::vector<float> vector_of_one(64, 0);
  vector_of_one[5] = 1;
  std::vector<Float16> f16(64, Float16{});
  std::vector<BFloat16> bf16(64, BFloat16{});
  for (uint32_t bits = 0; bits < 65'536; ++bits) {
    f16[5] = static_cast<Float16>(bits);
    bf16[5] = static_cast<BFloat16>(bits);
    const auto check = [bits](float got, float wanted) {
      EXPECT_EQ(std::isnan(got), std::isnan(wanted)) << bits;
      if (!std::isnan(wanted)) {
        EXPECT_EQ(got, wanted) << bits;
      }
    };
    check(GetParam()->f32_f16.inner_product.one(one.data(), &f16[5], 1), ToFloat(f16[5]));
    check(GetParam()->f32_f16.inner_product.one(vector_of_one.data(), f16.data(), 64),
          ToFloat(f16[5]));
    check(GetParam()->f32_bf16.inner_product.one(one.data(), &bf16[5], 1), ToFloat(bf16[5]));
    check(GetParam()->f32_bf16.inner_product.one(vector_of_one.data(), bf16.data(), 64),
          ToFloat(bf16[5]));
  }
}

TEST_P(HalfKernelsTest, InfinitiesGoThrough) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const size_t dim : {1, 3, 17, 64, 100}) {
    std::vector<Float16> a(dim, ToFloat16(1));
    const std::vector<Float16> b(dim, ToFloat16(2));
    std::vector<BFloat16> c(dim, ToBFloat16(1));
    const std::vector<BFloat16> d(dim, ToBFloat16(2));
    a[dim / 2] = ToFloat16(-infinity);
    c[dim / 2] = ToBFloat16(-infinity);
    EXPECT_EQ(GetParam()->f16.l2_squared.one(a.data(), b.data(), dim), infinity);
    EXPECT_EQ(GetParam()->f16.inner_product.one(a.data(), b.data(), dim), -infinity);
    EXPECT_EQ(GetParam()->f16.l1.one(a.data(), b.data(), dim), infinity);
    EXPECT_TRUE(std::isnan(GetParam()->f16.l2_squared.one(a.data(), a.data(), dim)));
    EXPECT_EQ(GetParam()->bf16.l2_squared.one(c.data(), d.data(), dim), infinity);
    EXPECT_EQ(GetParam()->bf16.inner_product.one(c.data(), d.data(), dim), -infinity);
    EXPECT_EQ(GetParam()->bf16.l1.one(c.data(), d.data(), dim), infinity);
    EXPECT_TRUE(std::isnan(GetParam()->bf16.l1.one(c.data(), c.data(), dim)));
  }
}

INSTANTIATE_TEST_SUITE_P(EachInstructionSet, HalfKernelsTest,
                         testing::ValuesIn(AvailableHalfKernels()), NameOfTable<HalfKernels>);

class ByteKernelsTest : public testing::TestWithParam<const ByteKernels*> {};

TEST_P(ByteKernelsTest, Signed) { ExpectAllAgree(GetParam()->i8); }
TEST_P(ByteKernelsTest, Unsigned) { ExpectAllAgree(GetParam()->u8); }

// All pairs of the ends and middles of the range, at the largest dimension and near it.
template <typename Byte>
void ExpectExactAtTheEnds(const Measures<Byte, Byte, int64_t>& measures) {
  constexpr auto kLowest = std::numeric_limits<Byte>::min();
  constexpr auto kHighest = std::numeric_limits<Byte>::max();
  const std::vector<Byte> values = {kLowest, static_cast<Byte>(kLowest + 1),  0,
                                    1,       static_cast<Byte>(kHighest - 1), kHighest};
  for (const size_t dim : {kMaxByteDim - 1, kMaxByteDim}) {
    std::vector<std::vector<Byte>> rows;
    for (const Byte value : values) rows.emplace_back(dim, value);
    for (const std::vector<Byte>& query : rows) {
      ExpectAgreement(measures.l2_squared, WantedL2Squared<int64_t>, query, rows);
      ExpectAgreement(measures.inner_product, WantedInnerProduct<int64_t>, query, rows);
      ExpectAgreement(measures.l1, WantedL1<int64_t>, query, rows);
    }
  }
}

TEST_P(ByteKernelsTest, SignedIsExactAtTheEndsOfTheRange) { ExpectExactAtTheEnds(GetParam()->i8); }
TEST_P(ByteKernelsTest, UnsignedIsExactAtTheEndsOfTheRange) {
  ExpectExactAtTheEnds(GetParam()->u8);
}

INSTANTIATE_TEST_SUITE_P(EachInstructionSet, ByteKernelsTest,
                         testing::ValuesIn(AvailableByteKernels()), NameOfTable<ByteKernels>);

class BinaryKernelsTest : public testing::TestWithParam<const BinaryKernels*> {};

TEST_P(BinaryKernelsTest, Hamming) {
  ExpectAgreementOnEveryLength(GetParam()->hamming, WantedHamming);
  ExpectNothingReadPastTheEnd(GetParam()->hamming);
}
TEST_P(BinaryKernelsTest, InnerProduct) {
  ExpectAgreementOnEveryLength(GetParam()->inner_product, WantedCommonBits);
  ExpectNothingReadPastTheEnd(GetParam()->inner_product);
}
TEST_P(BinaryKernelsTest, Jaccard) {
  ExpectAgreementOnEveryLength(GetParam()->jaccard, WantedJaccard);
  ExpectNothingReadPastTheEnd(GetParam()->jaccard);
}

TEST_P(BinaryKernelsTest, AllBitsSetAreCountedAtALargeSize) {
  constexpr size_t kBytes = 1'000'003;
  const std::vector<std::byte> ones(kBytes, std::byte{0xFF});
  const std::vector<std::byte> zeros(kBytes, std::byte{0});
  EXPECT_EQ(GetParam()->hamming.one(ones.data(), zeros.data(), kBytes), 8 * kBytes);
  EXPECT_EQ(GetParam()->hamming.one(ones.data(), ones.data(), kBytes), 0U);
  EXPECT_EQ(GetParam()->inner_product.one(ones.data(), ones.data(), kBytes), 8 * kBytes);
  EXPECT_EQ(GetParam()->jaccard.one(ones.data(), zeros.data(), kBytes), 1);
  EXPECT_EQ(GetParam()->jaccard.one(ones.data(), ones.data(), kBytes), 0);
}

TEST_P(BinaryKernelsTest, NothingIsNoDistanceFromNothing) {
  const std::vector<std::byte> zeros(100, std::byte{0});
  for (const size_t bytes : {0, 1, 8, 32, 100}) {
    EXPECT_EQ(GetParam()->jaccard.one(zeros.data(), zeros.data(), bytes), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(EachInstructionSet, BinaryKernelsTest,
                         testing::ValuesIn(AvailableBinaryKernels()), NameOfTable<BinaryKernels>);

template <typename Table>
void ExpectAscending(const std::vector<const Table*>& tables) {
  ASSERT_FALSE(tables.empty());
  EXPECT_EQ(tables.front()->set, InstructionSet::kScalar);
  for (size_t i = 1; i < tables.size(); ++i) {
    EXPECT_LE(tables[i - 1]->set, tables[i]->set);
    EXPECT_NE(tables[i - 1]->name, tables[i]->name);
  }
}

TEST(TypedDispatch, TheTablesAscendFromTheScalarOne) {
  ExpectAscending(AvailableHalfKernels());
  ExpectAscending(AvailableByteKernels());
  ExpectAscending(AvailableBinaryKernels());
}

// The choice is made once a process, so each wish is put to a fresh one.
bool HoldsWhenWished(const std::string& wish, bool (*claim)()) {
  const pid_t child = fork();
  if (child == 0) {
    setenv("VETTORE_SIMD", wish.c_str(), 1);
    _exit(claim() ? 0 : 1);
  }
  int state = 0;
  return waitpid(child, &state, 0) == child && WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

template <InstructionSet ceiling>
bool NoFamilyIsAbove() {
  return std::max({Active().set, ActiveHalfKernels().set, ActiveByteKernels().set,
                   ActiveBinaryKernels().set, ActiveCodeKernels().set, ActivePq().set}) <= ceiling;
}

TEST(TypedDispatch, TheEnvironmentLowersEveryFamily) {
  EXPECT_TRUE(HoldsWhenWished("scalar", NoFamilyIsAbove<InstructionSet::kScalar>));
  EXPECT_TRUE(HoldsWhenWished("neon", NoFamilyIsAbove<InstructionSet::kNeon>));
  EXPECT_TRUE(HoldsWhenWished("avx2", NoFamilyIsAbove<InstructionSet::kAvx2>));
}

TEST(TypedDispatch, WithoutAWishTheLastTableIsActive) {
  EXPECT_TRUE(HoldsWhenWished("", [] {
    return &ActiveHalfKernels() == AvailableHalfKernels().back() &&
           &ActiveByteKernels() == AvailableByteKernels().back() &&
           &ActiveBinaryKernels() == AvailableBinaryKernels().back() &&
           &ActiveCodeKernels() == AvailableCodeKernels().back() &&
           &ActivePq() == AvailablePq().back();
  }));
}

}  // namespace
}  // namespace vettore::simd
