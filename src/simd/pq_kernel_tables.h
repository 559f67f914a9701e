// One constant table of product quantization kernels for each instruction set; private to this
// room.
#pragma once

#include "simd/pq_kernels.h"

namespace vettore::simd {

// Null where the compiler does not target that architecture.
const PqKernels* ScalarPqTable();  // Never null.
const PqKernels* Avx2PqTable();
const PqKernels* Avx512PqTable();

}  // namespace vettore::simd
