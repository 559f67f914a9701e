// The kernels of 32-bit floats for NEON, which every 64-bit ARM has: four lanes.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "simd/kernel_tables.h"
#include "simd/kernel_terms.h"

#if defined(__aarch64__)
#include <arm_neon.h>

namespace vettore::simd {
namespace {
namespace neon {

#include "simd/float_lanes_neon.inc"
#include "simd/kernel_body.inc"

}  // namespace neon

constexpr Kernels kTable = neon::TableOf(InstructionSet::kNeon);

}  // namespace

const Kernels* NeonTable() { return &kTable; }

}  // namespace vettore::simd

#else

namespace vettore::simd {
const Kernels* NeonTable() { return nullptr; }
}  // namespace vettore::simd

#endif
