// Stands before the compiler's header in scripts/test-avx512: the 512-bit intrinsics in software,
// so that a machine without AVX-512 runs the kernels' source. SIMD Everywhere has most of them;
// what Debian 12's version lacks stands here, after Intel's Intrinsics Guide.
#pragma once

#include_next <immintrin.h>

#include <cstring>

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/avx512/dpbf16.h>
#include <simde/x86/avx512/dpbusd.h>
#include <simde/x86/avx512/popcnt.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>

namespace emulated {

// The elements that the mask wants; the others are zero and are not read.
template <typename Vector, typename Element>
Vector MaskedLoad(unsigned long mask, const void* p) {
  constexpr int kElements = sizeof(Vector) / sizeof(Element);
  Element elements[kElements] = {};
  for (int i = 0; i < kElements; ++i) {
    if ((mask >> i & 1U) == 0) continue;
    std::memcpy(elements + i, static_cast<const char*>(p) + i * sizeof(Element), sizeof(Element));
  }
  Vector v;
  std::memcpy(&v, elements, sizeof(v));
  return v;
}

// The kernels ask for whole vectors in the masked form; anything else is not emulated.
inline void ExpectWhole(unsigned mask, unsigned whole) {
  if (mask != whole) __builtin_trap();
}

template <typename Half, typename Whole>
Half Extract(unsigned mask, Whole v, int half) {
  ExpectWhole(mask, 0xFF);
  Half extracted;
  std::memcpy(&extracted, reinterpret_cast<const char*>(&v) + half * sizeof(Half), sizeof(Half));
  return extracted;
}

inline simde__m512 WidenHalves(unsigned mask, __m256i halves) {
  ExpectWhole(mask, 0xFFFF);
  const __m256 parts[2] = {_mm256_cvtph_ps(_mm256_castsi256_si128(halves)),
                           _mm256_cvtph_ps(_mm256_extracti128_si256(halves, 1))};
  simde__m512 whole;
  std::memcpy(&whole, parts, sizeof(whole));
  return whole;
}

inline simde__m512i WidenWords(unsigned mask, __m256i words) {
  ExpectWhole(mask, 0xFFFF);
  const __m256i parts[2] = {_mm256_cvtepu16_epi32(_mm256_castsi256_si128(words)),
                            _mm256_cvtepu16_epi32(_mm256_extracti128_si256(words, 1))};
  simde__m512i whole;
  std::memcpy(&whole, parts, sizeof(whole));
  return whole;
}

inline simde__m512i ShiftLeft(unsigned mask, simde__m512i v, int bits) {
  ExpectWhole(mask, 0xFFFF);
  return simde_mm512_slli_epi32(v, static_cast<unsigned>(bits));
}

}  // namespace emulated

#undef _mm512_maskz_loadu_ps
#define _mm512_maskz_loadu_ps emulated::MaskedLoad<simde__m512, float>
#undef _mm512_maskz_loadu_epi8
#define _mm512_maskz_loadu_epi8 emulated::MaskedLoad<simde__m512i, unsigned char>
#undef _mm512_maskz_loadu_epi16
#define _mm512_maskz_loadu_epi16 emulated::MaskedLoad<simde__m512i, unsigned short>
#undef _mm256_maskz_loadu_epi16
#define _mm256_maskz_loadu_epi16 emulated::MaskedLoad<__m256i, unsigned short>
#undef _mm512_maskz_extractf32x8_ps
#define _mm512_maskz_extractf32x8_ps emulated::Extract<__m256, simde__m512>
#undef _mm512_maskz_extracti32x8_epi32
#define _mm512_maskz_extracti32x8_epi32 emulated::Extract<__m256i, simde__m512i>
#undef _mm512_maskz_extracti64x4_epi64
#define _mm512_maskz_extracti64x4_epi64 emulated::Extract<__m256i, simde__m512i>
#undef _mm512_maskz_cvtph_ps
#define _mm512_maskz_cvtph_ps emulated::WidenHalves
#undef _mm512_maskz_cvtepu16_epi32
#define _mm512_maskz_cvtepu16_epi32 emulated::WidenWords
#undef _mm512_maskz_slli_epi32
#define _mm512_maskz_slli_epi32 emulated::ShiftLeft
// Its own alias takes four arguments by mistake.
#undef _mm512_madd_epi16
#define _mm512_madd_epi16(a, b) simde_mm512_madd_epi16(a, b)
