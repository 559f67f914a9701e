// The kernels of product quantization for AVX2 with FMA.
#include <cstddef>
#include <cstdint>

#include "simd/pq_kernel_tables.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace vettore::simd {
namespace {

// Only what stands between push and pop is compiled for AVX2; inline functions of other headers
// keep the baseline.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
namespace avx2 {

#include "simd/pq_kernels_x86.inc"

inline __m256i LoadBytes(const uint8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

// The entries of one pair for 32 rows, as bytes. tables: of the pair's low half; that of its high
// half is 64 bytes behind.
inline __m256i LookUp(const uint8_t* tables, const uint8_t* codes) {
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i both = LoadBytes(codes);
  const __m256i low = _mm256_and_si256(both, nibble);
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(both, 4), nibble);
  return _mm256_add_epi8(_mm256_shuffle_epi8(LoadBytes(tables), low),
                         _mm256_shuffle_epi8(LoadBytes(tables + 64), high));
}

inline void AddBytes(__m256i bytes, Sums16& sums) {
  sums.both = _mm256_add_epi16(sums.both, bytes);
  sums.odd = _mm256_add_epi16(sums.odd, _mm256_srli_epi16(bytes, 8));
}

inline uint32_t Scan4(const Pq4Tables& tables, const PqBlock& block, const PqLimit& limit,
                      float* out) {
  Sums16 sums{_mm256_setzero_si256(), _mm256_setzero_si256()};
  const uint8_t* table = tables.bytes;
  const uint8_t* codes = block.codes;
  size_t pairs = tables.pairs;
  // Eight pairs: the even ones fit in a byte together, and so do the odd ones.
  for (; pairs >= 8; pairs -= 8, table += 512, codes += 256) {
    const __m256i even = _mm256_add_epi8(
        _mm256_add_epi8(LookUp(table, codes), LookUp(table + 128, codes + 64)),
        _mm256_add_epi8(LookUp(table + 256, codes + 128), LookUp(table + 384, codes + 192)));
    const __m256i odd = _mm256_add_epi8(
        _mm256_add_epi8(LookUp(table + 32, codes + 32), LookUp(table + 160, codes + 96)),
        _mm256_add_epi8(LookUp(table + 288, codes + 160), LookUp(table + 416, codes + 224)));
    AddBytes(even, sums);
    AddBytes(odd, sums);
  }
  for (; pairs > 0; pairs -= 2, table += 128, codes += 64) {
    AddBytes(LookUp(table, codes), sums);
    AddBytes(LookUp(table + 32, codes + 32), sums);
  }
  return Finish(sums, tables.scale, block, limit, out);
}

#include "simd/pq_kernel_body.inc"

}  // namespace avx2
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

constexpr PqKernels kTable = avx2::PqTableOf(InstructionSet::kAvx2);

}  // namespace

const PqKernels* Avx2PqTable() { return &kTable; }

}  // namespace vettore::simd

#else

namespace vettore::simd {
const PqKernels* Avx2PqTable() { return nullptr; }
}  // namespace vettore::simd

#endif
