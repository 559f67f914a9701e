// The typed kernels for AVX-512 (F, BW, VL, DQ): 64 bytes at a time, masked tail.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "simd/kernel_tables.h"
#include "simd/kernel_terms.h"

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
namespace avx512_half {

#include "simd/float_lanes_avx512.inc"

// The masked forms with every lane wanted: with g++ 12 the others warn of an uninitialised value
// that is none.
inline Vec Widened(std::type_identity<Float16>, __m256i halves) {
  return {_mm512_maskz_cvtph_ps(0xFFFF, halves)};
}
inline Vec Widened(std::type_identity<BFloat16>, __m256i halves) {
  const __m512i wide = _mm512_maskz_cvtepu16_epi32(0xFFFF, halves);
  return {_mm512_castsi512_ps(_mm512_maskz_slli_epi32(0xFFFF, wide, 16))};
}
// Half: Float16 or BFloat16.
template <typename Half>
inline Vec Load(const Half* p) {
  return Widened(std::type_identity<Half>{},
                 _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
template <typename Half>
inline Vec LoadFirst(const Half* p, size_t count) {
  return Widened(std::type_identity<Half>{}, _mm256_maskz_loadu_epi16(FirstLanes(count), p));
}

#include "simd/half_kernel_body.inc"

}  // namespace avx512_half

namespace avx512_byte {

#include "simd/byte_types_avx512.inc"

struct Counts {
  __m512i lanes;
};
inline Counts Add(Counts a, Counts b) { return {_mm512_add_epi32(a.lanes, b.lanes)}; }
inline uint32_t Total(Counts sums) { return TotalOf(sums.lanes); }

inline Counts AddSquares(UnsignedBytes a, UnsignedBytes b, Counts sums) {
  const __m512i differences = Differences(a, b);
  const __m512i low = _mm512_unpacklo_epi8(differences, _mm512_setzero_si512());
  const __m512i high = _mm512_unpackhi_epi8(differences, _mm512_setzero_si512());
  const __m512i squares =
      _mm512_add_epi32(_mm512_madd_epi16(low, low), _mm512_madd_epi16(high, high));
  return {_mm512_add_epi32(sums.lanes, squares)};
}
// Eight magnitudes to a 64-bit sum, whose upper half stays zero.
inline Counts AddMagnitudes(UnsignedBytes a, UnsignedBytes b, Counts sums) {
  return {_mm512_add_epi32(sums.lanes, _mm512_sad_epu8(a.lanes, b.lanes))};
}
// Zero-masked with every lane wanted, as above.
inline __m512i LowWidened(SignedBytes v) {
  return _mm512_cvtepi8_epi16(_mm512_maskz_extracti64x4_epi64(0xFF, v.lanes, 0));
}
inline __m512i HighWidened(SignedBytes v) {
  return _mm512_cvtepi8_epi16(_mm512_maskz_extracti64x4_epi64(0xFF, v.lanes, 1));
}
inline Counts AddProducts(SignedBytes a, SignedBytes b, Counts sums) {
  const __m512i low = _mm512_madd_epi16(LowWidened(a), LowWidened(b));
  const __m512i high = _mm512_madd_epi16(HighWidened(a), HighWidened(b));
  return {_mm512_add_epi32(sums.lanes, _mm512_add_epi32(low, high))};
}
inline Counts AddProducts(UnsignedBytes a, UnsignedBytes b, Counts sums) {
  const __m512i zero = _mm512_setzero_si512();
  const __m512i low =
      _mm512_madd_epi16(_mm512_unpacklo_epi8(a.lanes, zero), _mm512_unpacklo_epi8(b.lanes, zero));
  const __m512i high =
      _mm512_madd_epi16(_mm512_unpackhi_epi8(a.lanes, zero), _mm512_unpackhi_epi8(b.lanes, zero));
  return {_mm512_add_epi32(sums.lanes, _mm512_add_epi32(low, high))};
}

#include "simd/byte_kernel_body.inc"

}  // namespace avx512_byte

namespace avx512_bits {

#include "simd/bit_types_avx512.inc"

// Each half byte is looked up: Mula, Kurz & Lemire, "Faster Population Counts Using AVX2
// Instructions" (2018), section 2.1.
inline Counts AddOnes(Bits v, Counts sums) {
  const __m512i ones_of_nibble = _mm512_maskz_broadcast_i32x4(
      0xFFFF, _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  const __m512i nibble = _mm512_set1_epi8(0x0F);
  const __m512i low = _mm512_and_si512(v.lanes, nibble);
  const __m512i high = _mm512_and_si512(_mm512_srli_epi16(v.lanes, 4), nibble);
  const __m512i ones = _mm512_add_epi8(_mm512_shuffle_epi8(ones_of_nibble, low),
                                       _mm512_shuffle_epi8(ones_of_nibble, high));
  return {_mm512_add_epi64(sums.lanes, _mm512_sad_epu8(ones, _mm512_setzero_si512()))};
}

#include "simd/binary_kernel_body.inc"

}  // namespace avx512_bits
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

constexpr HalfKernels kHalf = avx512_half::HalfTableOf(InstructionSet::kAvx512);
constexpr ByteKernels kByte = avx512_byte::ByteTableOf(InstructionSet::kAvx512, "avx512");
constexpr BinaryKernels kBinary = avx512_bits::BinaryTableOf(InstructionSet::kAvx512, "avx512");

}  // namespace

TypedTables Avx512TypedTables() { return {&kHalf, &kByte, &kBinary}; }

}  // namespace vettore::simd

#else

namespace vettore::simd {
TypedTables Avx512TypedTables() { return {}; }
}  // namespace vettore::simd

#endif
