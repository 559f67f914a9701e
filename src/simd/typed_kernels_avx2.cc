// The typed kernels for AVX2: 32 bytes at a time.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "simd/first_bytes.h"
#include "simd/kernel_tables.h"
#include "simd/kernel_terms.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace vettore::simd {
namespace {

// Only what stands between push and pop is compiled for AVX2; inline functions of other headers
// keep the baseline.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#endif
namespace avx2_half {

#include "simd/float_lanes_avx2.inc"

inline Vec Widened(std::type_identity<Float16>, __m128i halves) {
  return {_mm256_cvtph_ps(halves)};
}
inline Vec Widened(std::type_identity<BFloat16>, __m128i halves) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16))};
}
// Half: Float16 or BFloat16.
template <typename Half>
inline Vec Load(const Half* p) {
  return Widened(std::type_identity<Half>{}, _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
template <typename Half>
inline Vec LoadFirst(const Half* p, size_t count) {
  const TwoWords words = FirstBytesOf16(reinterpret_cast<const uint8_t*>(p), count * sizeof(Half));
  return Widened(std::type_identity<Half>{},
                 _mm_set_epi64x(static_cast<int64_t>(words.high), static_cast<int64_t>(words.low)));
}

#include "simd/half_kernel_body.inc"

}  // namespace avx2_half
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx2")
#endif
namespace avx2_byte {

#include "simd/byte_lanes_avx2.inc"

struct SignedBytes {
  __m256i lanes;
};
struct UnsignedBytes {
  __m256i lanes;
};

inline SignedBytes Load(const int8_t* p) { return {LoadBytes(p)}; }
inline UnsignedBytes Load(const uint8_t* p) { return {LoadBytes(p)}; }
inline SignedBytes LoadFirst(const int8_t* p, size_t count) { return {LoadFirstBytes(p, count)}; }
inline UnsignedBytes LoadFirst(const uint8_t* p, size_t count) {
  return {LoadFirstBytes(p, count)};
}
inline UnsignedBytes Offset(SignedBytes v) {
  return {_mm256_xor_si256(v.lanes, _mm256_set1_epi8(-128))};
}

inline Counts AddSquares(UnsignedBytes a, UnsignedBytes b, Counts sums) {
  const __m256i differences =
      _mm256_sub_epi8(_mm256_max_epu8(a.lanes, b.lanes), _mm256_min_epu8(a.lanes, b.lanes));
  const __m256i low = _mm256_unpacklo_epi8(differences, _mm256_setzero_si256());
  const __m256i high = _mm256_unpackhi_epi8(differences, _mm256_setzero_si256());
  const __m256i squares =
      _mm256_add_epi32(_mm256_madd_epi16(low, low), _mm256_madd_epi16(high, high));
  return {_mm256_add_epi32(sums.lanes, squares)};
}
// Eight magnitudes to a 64-bit sum, whose upper half stays zero.
inline Counts AddMagnitudes(UnsignedBytes a, UnsignedBytes b, Counts sums) {
  return {_mm256_add_epi32(sums.lanes, _mm256_sad_epu8(a.lanes, b.lanes))};
}
inline Counts AddProducts(SignedBytes a, SignedBytes b, Counts sums) {
  const __m256i low = _mm256_madd_epi16(_mm256_cvtepi8_epi16(_mm256_castsi256_si128(a.lanes)),
                                        _mm256_cvtepi8_epi16(_mm256_castsi256_si128(b.lanes)));
  const __m256i high =
      _mm256_madd_epi16(_mm256_cvtepi8_epi16(_mm256_extracti128_si256(a.lanes, 1)),
                        _mm256_cvtepi8_epi16(_mm256_extracti128_si256(b.lanes, 1)));
  return {_mm256_add_epi32(sums.lanes, _mm256_add_epi32(low, high))};
}
inline Counts AddProducts(UnsignedBytes a, UnsignedBytes b, Counts sums) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i low =
      _mm256_madd_epi16(_mm256_unpacklo_epi8(a.lanes, zero), _mm256_unpacklo_epi8(b.lanes, zero));
  const __m256i high =
      _mm256_madd_epi16(_mm256_unpackhi_epi8(a.lanes, zero), _mm256_unpackhi_epi8(b.lanes, zero));
  return {_mm256_add_epi32(sums.lanes, _mm256_add_epi32(low, high))};
}

#include "simd/byte_kernel_body.inc"

}  // namespace avx2_byte

namespace avx2_bits {

#include "simd/byte_lanes_avx2.inc"

struct Bits {
  __m256i lanes;
};

inline Bits Load(const std::byte* p) { return {LoadBytes(p)}; }
inline Bits LoadFirst(const std::byte* p, size_t count) { return {LoadFirstBytes(p, count)}; }
inline Bits And(Bits a, Bits b) { return {_mm256_and_si256(a.lanes, b.lanes)}; }
inline Bits Or(Bits a, Bits b) { return {_mm256_or_si256(a.lanes, b.lanes)}; }
inline Bits Xor(Bits a, Bits b) { return {_mm256_xor_si256(a.lanes, b.lanes)}; }
// Each half byte is looked up: Mula, Kurz & Lemire, "Faster Population Counts Using AVX2
// Instructions" (2018), section 2.1.
inline Counts AddOnes(Bits v, Counts sums) {
  const __m256i ones_of_nibble = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0,
                                                  1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i nibble = _mm256_set1_epi8(0x0F);
  const __m256i low = _mm256_and_si256(v.lanes, nibble);
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(v.lanes, 4), nibble);
  const __m256i ones = _mm256_add_epi8(_mm256_shuffle_epi8(ones_of_nibble, low),
                                       _mm256_shuffle_epi8(ones_of_nibble, high));
  return {_mm256_add_epi32(sums.lanes, _mm256_sad_epu8(ones, _mm256_setzero_si256()))};
}

#include "simd/binary_kernel_body.inc"

}  // namespace avx2_bits
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

constexpr HalfKernels kHalf = avx2_half::HalfTableOf(InstructionSet::kAvx2);
constexpr ByteKernels kByte = avx2_byte::ByteTableOf(InstructionSet::kAvx2, "avx2");
constexpr BinaryKernels kBinary = avx2_bits::BinaryTableOf(InstructionSet::kAvx2, "avx2");

}  // namespace

TypedTables Avx2TypedTables() { return {&kHalf, &kByte, &kBinary}; }

}  // namespace vettore::simd

#else

namespace vettore::simd {
TypedTables Avx2TypedTables() { return {}; }
}  // namespace vettore::simd

#endif
