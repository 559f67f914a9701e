// The kernels for every machine: four lanes that the compiler maps to what the baseline has (SSE2,
// NEON, or single floats).
#include <cstddef>
#include <cstring>

#include "simd/kernel_tables.h"

namespace vettore::simd {
namespace {
namespace scalar {

using Vec = float __attribute__((vector_size(16)));
inline constexpr size_t kLanes = 4;

inline Vec Zero() { return Vec{0, 0, 0, 0}; }
inline Vec Load(const float* p) {
  Vec v;
  std::memcpy(&v, p, sizeof(v));
  return v;
}
inline Vec LoadFirst(const float* p, size_t count) {
  return Vec{p[0], count > 1 ? p[1] : 0, count > 2 ? p[2] : 0, 0};
}
inline Vec Add(Vec a, Vec b) { return a + b; }
inline Vec Subtract(Vec a, Vec b) { return a - b; }
inline Vec MultiplyAdd(Vec a, Vec b, Vec c) { return a * b + c; }
inline float Sum(Vec v) { return (v[0] + v[1]) + (v[2] + v[3]); }

#include "simd/kernel_body.inc"

}  // namespace scalar

constexpr Kernels kTable = scalar::TableOf(InstructionSet::kScalar);

}  // namespace

const Kernels* ScalarTable() { return &kTable; }

}  // namespace vettore::simd
