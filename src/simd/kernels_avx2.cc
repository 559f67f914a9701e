// The kernels of 32-bit floats for AVX2 with FMA: eight lanes.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "simd/kernel_tables.h"
#include "simd/kernel_terms.h"

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

#include "simd/float_lanes_avx2.inc"
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
