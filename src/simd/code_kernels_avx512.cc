// The code kernels for AVX-512, 64 bytes at a time: for the base (F, BW, VL, DQ), and for VNNI,
// which multiplies and sums bytes in one instruction.
#include <cstddef>
#include <cstdint>

#include "simd/code_kernel_tables.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace vettore::simd {
namespace {

// As in kernels_avx512.cc: only what stands between push and pop is compiled for AVX-512.
#if defined(__clang__)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")
#endif
namespace avx512 {

inline __m512i AddProducts(__m512i sums, __m512i codes, __m512i query) {
  const __m512i pairs = _mm512_maddubs_epi16(codes, query);
  return _mm512_add_epi32(sums, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}

#include "simd/code_vectors_avx512.inc"
//
#include "simd/code_kernel_body.inc"

}  // namespace avx512
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

inline __m512i AddProducts(__m512i sums, __m512i codes, __m512i query) {
  return _mm512_dpbusd_epi32(sums, codes, query);
}

#include "simd/code_vectors_avx512.inc"
//
#include "simd/code_kernel_body.inc"

}  // namespace avx512_vnni
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

constexpr CodeKernels kTable = avx512::CodeTableOf(InstructionSet::kAvx512);
constexpr CodeKernels kVnniTable = avx512_vnni::CodeTableOf(InstructionSet::kAvx512);

}  // namespace

const CodeKernels* Avx512CodeTable() { return &kTable; }
const CodeKernels* Avx512VnniCodeTable() { return &kVnniTable; }

}  // namespace vettore::simd

#else

namespace vettore::simd {
const CodeKernels* Avx512CodeTable() { return nullptr; }
const CodeKernels* Avx512VnniCodeTable() { return nullptr; }
}  // namespace vettore::simd

#endif
