// One constant table of kernels for each family and instruction set; private to this room.
#pragma once

#include "simd/kernels.h"
#include "simd/typed_kernels.h"

namespace vettore::simd {

// Null where the compiler does not target that architecture. Whether this machine runs it is the
// dispatcher's question.
const Kernels* ScalarTable();  // Never null.
const Kernels* NeonTable();
const Kernels* Avx2Table();
const Kernels* Avx512Table();

// The typed tables of one instruction set: what is null is not compiled for this architecture.
struct TypedTables {
  const HalfKernels* half = nullptr;
  const ByteKernels* byte = nullptr;
  const BinaryKernels* binary = nullptr;
};
TypedTables ScalarTypedTables();  // None null.
TypedTables NeonTypedTables();
TypedTables Avx2TypedTables();  // The half table needs F16C beside.
TypedTables Avx512TypedTables();
// Each needs one extension more: BF16, VNNI, VPOPCNTDQ.
TypedTables Avx512ExtendedTables();

}  // namespace vettore::simd
