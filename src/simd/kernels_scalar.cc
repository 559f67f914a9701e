// The kernels of 32-bit floats for every machine.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "simd/kernel_tables.h"
#include "simd/kernel_terms.h"

namespace vettore::simd {
namespace {
namespace scalar {

#include "simd/float_lanes_scalar.inc"
#include "simd/kernel_body.inc"

}  // namespace scalar

constexpr Kernels kTable = scalar::TableOf(InstructionSet::kScalar);

}  // namespace

const Kernels* ScalarTable() { return &kTable; }

}  // namespace vettore::simd
