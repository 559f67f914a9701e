// The kernels for AVX-512 (F, BW, VL, DQ: what every server part since Skylake has): sixteen lanes,
// masked tail.
#include <cstddef>
#include <cstdint>

#include "simd/kernel_tables.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace vettore::simd {
namespace {

// Only what stands between push and pop is compiled for AVX-512; inline functions of other headers
// keep the baseline.
#if defined(__clang__)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")
#endif
namespace avx512 {

struct Vec {
  __m512 lanes;
};
inline constexpr size_t kLanes = 16;

inline Vec Zero() { return {_mm512_setzero_ps()}; }
inline Vec Load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline Vec LoadFirst(const float* p, size_t count) {
  const auto mask = static_cast<__mmask16>((uint32_t{1} << count) - 1);
  return {_mm512_maskz_loadu_ps(mask, p)};
}
inline Vec Add(Vec a, Vec b) { return {_mm512_add_ps(a.lanes, b.lanes)}; }
inline Vec Subtract(Vec a, Vec b) { return {_mm512_sub_ps(a.lanes, b.lanes)}; }
inline Vec MultiplyAdd(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.lanes, b.lanes, c.lanes)}; }
// Halved by hand: with g++ 12 _mm512_reduce_add_ps warns of an uninitialised value that is none.
inline float Sum(Vec v) {
  const __m256 half = _mm256_add_ps(_mm512_maskz_extractf32x8_ps(0xFF, v.lanes, 0),
                                    _mm512_maskz_extractf32x8_ps(0xFF, v.lanes, 1));
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  sum = _mm_add_ss(sum, _mm_movehdup_ps(sum));
  return _mm_cvtss_f32(sum);
}

#include "simd/kernel_body.inc"

}  // namespace avx512
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

constexpr Kernels kTable = avx512::TableOf(InstructionSet::kAvx512);

}  // namespace

const Kernels* Avx512Table() { return &kTable; }

}  // namespace vettore::simd

#else

namespace vettore::simd {
const Kernels* Avx512Table() { return nullptr; }
}  // namespace vettore::simd

#endif
