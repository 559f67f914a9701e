// The typed kernels for what not every AVX-512 machine has: BF16, VNNI, VPOPCNTDQ.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "simd/kernel_tables.h"
#include "simd/kernel_terms.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace vettore::simd {
namespace {

// Only what stands between push and pop is compiled for the extension; inline functions of other
// headers keep the baseline.
#if defined(__clang__)
#pragma clang attribute push(                                                          \
    __attribute__((target("avx512bf16,avx512f,avx512bw,avx512vl,avx512dq,avx2,fma"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512bf16,avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")
#endif
namespace avx512_bf16 {

// Thirty-two bfloat16, multiplied in pairs into sixteen sums.
namespace floats {
#include "simd/float_lanes_avx512.inc"
}  // namespace floats

inline constexpr size_t kLanes = 32;
template <typename Term>
using SumOf = floats::Vec;
struct BFloats {
  __m512i lanes;
};

inline BFloats Load(const BFloat16* p) { return {_mm512_loadu_si512(p)}; }
inline BFloats LoadFirst(const BFloat16* p, size_t count) {
  return {_mm512_maskz_loadu_epi16((uint32_t{1} << count) - 1, p)};
}
inline floats::Vec Accumulate(InnerProductTerm, BFloats a, BFloats b, floats::Vec sum) {
  return {_mm512_dpbf16_ps(sum.lanes, reinterpret_cast<__m512bh>(a.lanes),
                           reinterpret_cast<__m512bh>(b.lanes))};
}
inline float Finish(InnerProductTerm, floats::Vec sum) { return floats::Sum(sum); }

#include "simd/row_body.inc"

}  // namespace avx512_bf16
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(                                                          \
    __attribute__((target("avx512vnni,avx512f,avx512bw,avx512vl,avx512dq,avx2,fma"))), \
    apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512vnni,avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")
#endif
namespace avx512_vnni {

#include "simd/byte_types_avx512.inc"

// The instruction multiplies unsigned with signed bytes and adds four products, exactly, modulo
// 2^32. Where both sides are of one sign, one of them is moved by 128, and what that adds is summed
// apart: x y = (x + 128) y - 128 y, and x y = x (y - 128) - x (-128).
struct Counts {
  __m512i products;
  __m512i excess;
};
inline Counts Add(Counts a, Counts b) {
  return {_mm512_add_epi32(a.products, b.products), _mm512_add_epi32(a.excess, b.excess)};
}
inline uint32_t Total(Counts sums) { return TotalOf(_mm512_sub_epi32(sums.products, sums.excess)); }

// Bytes whose uppermost bit is the other: plus 128 where they go from signed to unsigned, minus 128
// where they go from unsigned to signed.
inline __m512i Moved(__m512i bytes) { return _mm512_xor_si512(bytes, _mm512_set1_epi8(-128)); }
inline Counts AddProducts(UnsignedBytes a, UnsignedBytes b, Counts sums) {
  return {_mm512_dpbusd_epi32(sums.products, a.lanes, Moved(b.lanes)),
          _mm512_dpbusd_epi32(sums.excess, a.lanes, _mm512_set1_epi8(-128))};
}
inline Counts AddProducts(SignedBytes a, SignedBytes b, Counts sums) {
  return {_mm512_dpbusd_epi32(sums.products, Moved(b.lanes), a.lanes),
          _mm512_dpbusd_epi32(sums.excess, _mm512_set1_epi8(-128), a.lanes)};
}
inline Counts AddSquares(UnsignedBytes a, UnsignedBytes b, Counts sums) {
  const UnsignedBytes differences{Differences(a, b)};
  return AddProducts(differences, differences, sums);
}
// Eight magnitudes to a 64-bit sum, whose upper half stays zero.
inline Counts AddMagnitudes(UnsignedBytes a, UnsignedBytes b, Counts sums) {
  return {_mm512_add_epi32(sums.products, _mm512_sad_epu8(a.lanes, b.lanes)), sums.excess};
}

#include "simd/byte_kernel_body.inc"

}  // namespace avx512_vnni
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(                                                               \
    __attribute__((target("avx512vpopcntdq,avx512f,avx512bw,avx512vl,avx512dq,avx2,fma"))), \
    apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512vpopcntdq,avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")
#endif
namespace avx512_vpopcntdq {

#include "simd/bit_types_avx512.inc"

inline Counts AddOnes(Bits v, Counts sums) {
  return {_mm512_add_epi64(sums.lanes, _mm512_popcnt_epi64(v.lanes))};
}

#include "simd/binary_kernel_body.inc"

}  // namespace avx512_vpopcntdq
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

// Only one product is better there.
HalfKernels MakeHalf() {
  HalfKernels table = *Avx512TypedTables().half;
  table.name = "avx512_bf16";
  table.bf16.inner_product = avx512_bf16::MeasureOf<InnerProductTerm, BFloat16>();
  return table;
}
constexpr ByteKernels kByte = avx512_vnni::ByteTableOf(InstructionSet::kAvx512, "avx512_vnni");
constexpr BinaryKernels kBinary =
    avx512_vpopcntdq::BinaryTableOf(InstructionSet::kAvx512, "avx512_vpopcntdq");

}  // namespace

TypedTables Avx512ExtendedTables() {
  static const HalfKernels half = MakeHalf();
  return {&half, &kByte, &kBinary};
}

}  // namespace vettore::simd

#else

namespace vettore::simd {
TypedTables Avx512ExtendedTables() { return {}; }
}  // namespace vettore::simd

#endif
