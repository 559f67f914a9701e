// One constant table of kernels for each instruction set; private to this room.
#pragma once

#include "simd/kernels.h"

namespace vettore::simd {

// Null where the compiler does not target that architecture. Whether this machine runs it is the
// dispatcher's question.
const Kernels* ScalarTable();  // Never null.
const Kernels* Avx2Table();
const Kernels* Avx512Table();

}  // namespace vettore::simd
