// One constant table of code kernels for each instruction set; private to this room.
#pragma once

#include "simd/code_kernels.h"

namespace vettore::simd {

// Null where the compiler does not target that architecture. Whether this machine runs it is the
// dispatcher's question.
const CodeKernels* ScalarCodeTable();  // Never null.
const CodeKernels* Avx2CodeTable();
const CodeKernels* Avx512CodeTable();      // Of the base that every AVX-512 server part has.
const CodeKernels* Avx512VnniCodeTable();  // Takes the place of the base where VNNI is.

}  // namespace vettore::simd
