// The kernel bodies over sixteen lanes in software: the tail logic of AVX-512 on machines that have
// none.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include "simd/kernel_terms.h"
#include "simd/kernels.h"
#include "simd/reference.h"

namespace vettore::simd {
namespace {
namespace software16 {

struct Vec {
  std::array<float, 16> lanes{};
};
inline constexpr size_t kLanes = 16;

Vec Load(const float* p) {
  Vec v;
  for (size_t i = 0; i < kLanes; ++i) v.lanes[i] = p[i];
  return v;
}
Vec LoadFirst(const float* p, size_t count) {
  EXPECT_GT(count, 0U);
  EXPECT_LT(count, kLanes);
  Vec v;
  for (size_t i = 0; i < count; ++i) v.lanes[i] = p[i];
  return v;
}
Vec Add(Vec a, Vec b) {
  for (size_t i = 0; i < kLanes; ++i) a.lanes[i] += b.lanes[i];
  return a;
}
Vec Subtract(Vec a, Vec b) {
  for (size_t i = 0; i < kLanes; ++i) a.lanes[i] -= b.lanes[i];
  return a;
}
Vec MultiplyAdd(Vec a, Vec b, Vec c) {
  for (size_t i = 0; i < kLanes; ++i) c.lanes[i] += a.lanes[i] * b.lanes[i];
  return c;
}
Vec Magnitude(Vec v) {
  for (float& lane : v.lanes) lane = std::abs(lane);
  return v;
}
float Sum(Vec v) {
  float sum = 0;
  for (const float lane : v.lanes) sum += lane;
  return sum;
}

#include "simd/kernel_body.inc"

}  // namespace software16

constexpr Kernels kSoftware = software16::TableOf(InstructionSet::kAvx512);

TEST(KernelBody, SixteenLanesAgreeWithDoubleOnEveryLength) {
  std::mt19937 random(10);
  for (const size_t dim : TestedLengths()) {
    const std::vector<float> a = RandomVector(dim, random);
    const std::vector<float> b = RandomVector(dim, random);
    const Reference wanted = ReferenceOf(a.data(), b.data(), dim);
    EXPECT_NEAR(kSoftware.l2_squared(a.data(), b.data(), dim), wanted.l2_squared,
                wanted.l2_tolerance)
        << "dim " << dim;
    EXPECT_NEAR(kSoftware.inner_product(a.data(), b.data(), dim), wanted.inner_product,
                wanted.inner_product_tolerance)
        << "dim " << dim;
    EXPECT_NEAR(kSoftware.l1(a.data(), b.data(), dim), wanted.l1, wanted.l1_tolerance)
        << "dim " << dim;
  }
}

TEST(KernelBody, SixteenLanesToFourRowsAgreeWithDoubleOnEveryLength) {
  std::mt19937 random(11);
  for (const size_t dim : TestedLengths()) {
    const std::vector<float> query = RandomVector(dim, random);
    std::vector<std::vector<float>> rows;
    for (int i = 0; i < 4; ++i) rows.push_back(RandomVector(dim, random));
    const float* const pointers[4] = {rows[0].data(), rows[1].data(), rows[2].data(),
                                      rows[3].data()};
    float l2_squared[4];
    float inner_product[4];
    kSoftware.l2_squared_to_4(query.data(), pointers, dim, l2_squared);
    kSoftware.inner_product_to_4(query.data(), pointers, dim, inner_product);
    for (int i = 0; i < 4; ++i) {
      const Reference wanted = ReferenceOf(query.data(), pointers[i], dim);
      EXPECT_NEAR(l2_squared[i], wanted.l2_squared, wanted.l2_tolerance) << dim << " row " << i;
      EXPECT_NEAR(inner_product[i], wanted.inner_product, wanted.inner_product_tolerance)
          << dim << " row " << i;
    }
  }
}

}  // namespace
}  // namespace vettore::simd
