// The kernels of product quantization for AVX-512 (F, BW, VL, DQ): the 4-bit scan takes two pairs
// of sub-spaces at once.
#include <cstddef>
#include <cstdint>

#include "simd/pq_kernel_tables.h"

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

#include "simd/pq_kernels_x86.inc"

inline __m512i LoadBytes(const uint8_t* p) { return _mm512_loadu_si512(p); }

// The entries of an even pair for 32 rows, and of the odd one after it, as bytes. tables: of the
// low halves of both; those of their high halves are 64 bytes behind.
inline __m512i LookUp(const uint8_t* tables, const uint8_t* codes) {
  const __m512i nibble = _mm512_set1_epi8(15);
  const __m512i both = LoadBytes(codes);
  const __m512i low = _mm512_and_si512(both, nibble);
  const __m512i high = _mm512_and_si512(_mm512_srli_epi16(both, 4), nibble);
  return _mm512_add_epi8(_mm512_shuffle_epi8(LoadBytes(tables), low),
                         _mm512_shuffle_epi8(LoadBytes(tables + 64), high));
}

struct WideSums16 {
  __m512i both;
  __m512i odd;
};

inline void AddBytes(__m512i bytes, WideSums16& sums) {
  sums.both = _mm512_add_epi16(sums.both, bytes);
  sums.odd = _mm512_add_epi16(sums.odd, _mm512_srli_epi16(bytes, 8));
}

// Extracted with masks: with g++ 12 the cast warns of an uninitialised value that is none.
inline __m256i AddHalves(__m512i v) {
  return _mm256_add_epi16(_mm512_maskz_extracti32x8_epi32(0xFF, v, 0),
                          _mm512_maskz_extracti32x8_epi32(0xFF, v, 1));
}

inline uint32_t Scan4(const Pq4Tables& tables, const PqBlock& block, const PqLimit& limit,
                      float* out) {
  WideSums16 sums{_mm512_setzero_si512(), _mm512_setzero_si512()};
  const uint8_t* table = tables.bytes;
  const uint8_t* codes = block.codes;
  size_t pairs = tables.pairs;
  // Eight pairs: the even ones fit in a byte together, and so do the odd ones.
  for (; pairs >= 8; pairs -= 8, table += 512, codes += 256) {
    AddBytes(_mm512_add_epi8(_mm512_add_epi8(LookUp(table, codes), LookUp(table + 128, codes + 64)),
                             _mm512_add_epi8(LookUp(table + 256, codes + 128),
                                             LookUp(table + 384, codes + 192))),
             sums);
  }
  for (; pairs > 0; pairs -= 2, table += 128, codes += 64) AddBytes(LookUp(table, codes), sums);
  return Finish({AddHalves(sums.both), AddHalves(sums.odd)}, tables.scale, block, limit, out);
}

#include "simd/pq_kernel_body.inc"

}  // namespace avx512
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

constexpr PqKernels kTable = avx512::PqTableOf(InstructionSet::kAvx512);

}  // namespace

const PqKernels* Avx512PqTable() { return &kTable; }

}  // namespace vettore::simd

#else

namespace vettore::simd {
const PqKernels* Avx512PqTable() { return nullptr; }
}  // namespace vettore::simd

#endif
