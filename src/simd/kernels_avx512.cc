// The kernels of 32-bit floats for AVX-512 (F, BW, VL, DQ: what every server part since Skylake
// has): sixteen lanes, masked tail.
#include <algorithm>
#include <cstddef>
#include <cstdint>

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
namespace avx512 {

#include "simd/float_lanes_avx512.inc"
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
