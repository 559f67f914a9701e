#include "simd/matrix_kernels.h"

#include "simd/cpu.h"

namespace vettore::simd {
namespace {

// Only what stands between push and pop is compiled for the instruction set. Tiles are as large as
// the registers allow.
namespace baseline {
constexpr size_t kLanes = 4;
constexpr size_t kTileRows = 4;
constexpr size_t kTileRegisters = 2;
#include "simd/matrix_kernel_body.inc"
}  // namespace baseline

#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
namespace avx2 {
constexpr size_t kLanes = 8;
constexpr size_t kTileRows = 6;
constexpr size_t kTileRegisters = 2;
#include "simd/matrix_kernel_body.inc"
}  // namespace avx2
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")
#endif
namespace avx512 {
constexpr size_t kLanes = 16;
constexpr size_t kTileRows = 8;
constexpr size_t kTileRegisters = 3;
#include "simd/matrix_kernel_body.inc"
}  // namespace avx512
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif

constexpr MatrixKernels kBaseline = {InstructionSet::kScalar, baseline::PaddedColumns,
                                     baseline::Pack, baseline::Multiply};
#if defined(__x86_64__)
constexpr MatrixKernels kAvx2 = {InstructionSet::kAvx2, avx2::PaddedColumns, avx2::Pack,
                                 avx2::Multiply};
constexpr MatrixKernels kAvx512 = {InstructionSet::kAvx512, avx512::PaddedColumns, avx512::Pack,
                                   avx512::Multiply};
#endif

}  // namespace

std::vector<const MatrixKernels*> AvailableMatrixKernels() {
  std::vector<const MatrixKernels*> tables = {&kBaseline};
#if defined(__x86_64__)
  for (const MatrixKernels* table : {&kAvx2, &kAvx512}) {
    if (MachineFeatures().Run(table->set)) tables.push_back(table);
  }
#endif
  return tables;
}

const MatrixKernels& ActiveMatrixKernels() {
  static const MatrixKernels* const active = LastAdmitted(AvailableMatrixKernels());
  return *active;
}

}  // namespace vettore::simd
