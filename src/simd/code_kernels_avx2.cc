// The code kernels for AVX2: products of bytes in pairs, 32 bytes at a time.
#include <cstddef>
#include <cstdint>

#include "simd/code_kernel_tables.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace vettore::simd {
namespace {

// As in kernels_avx2.cc: only what stands between push and pop is compiled for AVX2.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
namespace avx2 {

inline constexpr size_t kFloats = 8;

inline __m256i Load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

inline __m256i Widen(__m256i pairs) { return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)); }

inline int32_t SumOf(__m256i sums) {
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
  return _mm_cvtsi128_si32(sum);
}

inline void SumsOf4(__m256i a, __m256i b, __m256i c, __m256i d, int32_t* out) {
  const __m256i sums = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                   _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1)));
}

struct Bytes {
  struct Sums {
    __m256i sums;
  };
  struct Query {
    __m256i low, high;
  };
  static Sums None() { return {_mm256_setzero_si256()}; }
  static Query Load(const int8_t* query) { return {avx2::Load(query), avx2::Load(query + 32)}; }
  // Two products at most 255 * 64 each fit sixteen bits.
  static void Add(const Query& query, const uint8_t* code, Sums& sums) {
    const __m256i low = _mm256_maddubs_epi16(avx2::Load(code), query.low);
    const __m256i high = _mm256_maddubs_epi16(avx2::Load(code + 32), query.high);
    sums.sums = _mm256_add_epi32(sums.sums, _mm256_add_epi32(Widen(low), Widen(high)));
  }
  static int32_t Total(const Sums& sums) { return SumOf(sums.sums); }
  static void Totals(const Sums& a, const Sums& b, const Sums& c, const Sums& d, int32_t* out) {
    SumsOf4(a.sums, b.sums, c.sums, d.sums, out);
  }
};

struct Nibbles {
  using Sums = Bytes::Sums;
  struct Query {
    __m256i low[2], high[2];  // Of the first and the second half of the bytes.
  };
  static Sums None() { return {_mm256_setzero_si256()}; }
  static Query Load(const int8_t* query) {
    return {{avx2::Load(query), avx2::Load(query + 32)},
            {avx2::Load(query + 64), avx2::Load(query + 96)}};
  }
  // Eight products of at most 15 * 127 fit sixteen bits.
  static void Add(const Query& query, const uint8_t* code, Sums& sums) {
    const __m256i mask = _mm256_set1_epi8(15);
    const __m256i first = avx2::Load(code);
    const __m256i second = avx2::Load(code + 32);
    const __m256i low =
        _mm256_add_epi16(_mm256_maddubs_epi16(_mm256_and_si256(first, mask), query.low[0]),
                         _mm256_maddubs_epi16(_mm256_and_si256(second, mask), query.low[1]));
    const __m256i high = _mm256_add_epi16(
        _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(first, 4), mask), query.high[0]),
        _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(second, 4), mask), query.high[1]));
    sums.sums = _mm256_add_epi32(sums.sums, Widen(_mm256_add_epi16(low, high)));
  }
  static int32_t Total(const Sums& sums) { return SumOf(sums.sums); }
  static void Totals(const Sums& a, const Sums& b, const Sums& c, const Sums& d, int32_t* out) {
    SumsOf4(a.sums, b.sums, c.sums, d.sums, out);
  }
};

// The bits that are next stand lowest in each byte; the sums are of sixteen bits.
struct BitStep {
  __m256i low, high;
  __m256i sums;
};
struct BitPlane {
  __m256i low, high;
};
inline BitPlane LoadPlane(const int8_t* query) {
  return {avx2::Load(query), avx2::Load(query + 32)};
}
inline BitStep LoadBits(const uint8_t* code) {
  return {avx2::Load(code), avx2::Load(code + 32), _mm256_setzero_si256()};
}
inline void AddPlane(const BitPlane& plane, BitStep& step) {
  const __m256i mask = _mm256_set1_epi8(1);
  const __m256i low = _mm256_maddubs_epi16(_mm256_and_si256(step.low, mask), plane.low);
  const __m256i high = _mm256_maddubs_epi16(_mm256_and_si256(step.high, mask), plane.high);
  step.sums = _mm256_add_epi16(step.sums, _mm256_add_epi16(low, high));
  step.low = _mm256_srli_epi16(step.low, 1);
  step.high = _mm256_srli_epi16(step.high, 1);
}
inline void AddStep(const BitStep& step, Bytes::Sums& sums) {
  sums.sums = _mm256_add_epi32(sums.sums, Widen(step.sums));
}

#include "simd/code_kernel_body.inc"

}  // namespace avx2
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

constexpr CodeKernels kTable = avx2::CodeTableOf(InstructionSet::kAvx2);

}  // namespace

const CodeKernels* Avx2CodeTable() { return &kTable; }

}  // namespace vettore::simd

#else

namespace vettore::simd {
const CodeKernels* Avx2CodeTable() { return nullptr; }
}  // namespace vettore::simd

#endif
