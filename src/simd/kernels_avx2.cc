// The kernels for AVX2 with FMA: eight lanes.
#include <cstddef>
#include <cstdint>

#include "simd/kernel_tables.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace vettore::simd {
namespace {

// Eight ones then eight zeros: a load at 8 - count is the mask of the first `count` lanes.
alignas(64) constexpr int32_t kTailMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

// Only what stands between push and pop is compiled for AVX2; inline functions of other headers
// keep the baseline.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
namespace avx2 {

struct Vec {
  __m256 lanes;
};
inline constexpr size_t kLanes = 8;

inline Vec Zero() { return {_mm256_setzero_ps()}; }
inline Vec Load(const float* p) { return {_mm256_loadu_ps(p)}; }
inline Vec LoadFirst(const float* p, size_t count) {
  const auto* mask = reinterpret_cast<const __m256i*>(kTailMask + (kLanes - count));
  return {_mm256_maskload_ps(p, _mm256_loadu_si256(mask))};
}
inline Vec Add(Vec a, Vec b) { return {_mm256_add_ps(a.lanes, b.lanes)}; }
inline Vec Subtract(Vec a, Vec b) { return {_mm256_sub_ps(a.lanes, b.lanes)}; }
inline Vec MultiplyAdd(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.lanes, b.lanes, c.lanes)}; }
inline float Sum(Vec v) {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v.lanes), _mm256_extractf128_ps(v.lanes, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  sum = _mm_add_ss(sum, _mm_movehdup_ps(sum));
  return _mm_cvtss_f32(sum);
}

#include "simd/kernel_body.inc"

}  // namespace avx2
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

constexpr Kernels kTable = avx2::TableOf(InstructionSet::kAvx2);

}  // namespace

const Kernels* Avx2Table() { return &kTable; }

}  // namespace vettore::simd

#else

namespace vettore::simd {
const Kernels* Avx2Table() { return nullptr; }
}  // namespace vettore::simd

#endif
