#include "embed/vector_math.h"

#include "simd/kernels.h"

namespace vettore {
namespace {

// Only what stands between push and pop is compiled for the instruction set.
namespace baseline {
constexpr size_t kLanes = 4;
#include "embed/vector_math_body.inc"
constexpr VectorMath kTable = {"baseline", AddLayerNorm, GeluOfAll, Add, Softmax};
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
#include "embed/vector_math_body.inc"
constexpr VectorMath kTable = {"avx2", AddLayerNorm, GeluOfAll, Add, Softmax};
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
#include "embed/vector_math_body.inc"
constexpr VectorMath kTable = {"avx512", AddLayerNorm, GeluOfAll, Add, Softmax};
}  // namespace avx512
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif

const VectorMath& TableOf(simd::InstructionSet set) {
  switch (set) {
    case simd::InstructionSet::kScalar:
    case simd::InstructionSet::kNeon:  // The baseline of 64-bit ARM.
      return baseline::kTable;
#if defined(__x86_64__)
    case simd::InstructionSet::kAvx2:
      return avx2::kTable;
    case simd::InstructionSet::kAvx512:
      return avx512::kTable;
#else
    case simd::InstructionSet::kAvx2:
    case simd::InstructionSet::kAvx512:
      break;
#endif
  }
  return baseline::kTable;
}

}  // namespace

const VectorMath& ActiveVectorMath() { return TableOf(simd::Active().set); }

std::vector<const VectorMath*> AvailableVectorMath() {
  std::vector<const VectorMath*> tables;
  for (const simd::Kernels* kernels : simd::Available()) tables.push_back(&TableOf(kernels->set));
  return tables;
}

}  // namespace vettore
