// The kernels of product quantization for every machine.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "simd/pq_kernel_tables.h"

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
inline void Store(float* p, Vec v) { std::memcpy(p, &v, sizeof(v)); }
inline Vec Set1(float value) { return Vec{value, value, value, value}; }
inline Vec Subtract(Vec a, Vec b) { return a - b; }
inline Vec MultiplyAdd(Vec a, Vec b, Vec c) { return a * b + c; }
inline Vec Min(Vec a, Vec b) { return a < b ? a : b; }
inline Vec Max(Vec a, Vec b) { return a > b ? a : b; }
inline float MinOf(Vec v) { return std::min(std::min(v[0], v[1]), std::min(v[2], v[3])); }
inline float MaxOf(Vec v) { return std::max(std::max(v[0], v[1]), std::max(v[2], v[3])); }

inline void QuantizeTable(const float* table, float smallest, float scale, uint8_t* out) {
  for (size_t c = 0; c < 16; ++c) {
    out[c] = static_cast<uint8_t>((table[c] - smallest) * scale);
    out[16 + c] = out[c];
  }
}

inline uint32_t Scan4(const Pq4Tables& tables, const PqBlock& block, const PqLimit& limit,
                      float* out) {
  uint32_t sums[kPqBlockRows] = {};
  for (size_t pair = 0; pair < tables.pairs; ++pair) {
    const uint8_t* const low = tables.bytes + pair / 2 * 128 + pair % 2 * 32;
    const uint8_t* const codes = block.codes + pair * kPqBlockRows;
    for (size_t i = 0; i < kPqBlockRows; ++i) {
      sums[i] += low[codes[i] & 15] + low[64 + (codes[i] >> 4)];
    }
  }
  uint32_t mask = 0;
  for (size_t i = 0; i < kPqBlockRows; ++i) {
    const float products = limit.products + tables.scale * static_cast<float>(sums[i]);
    const float factor = block.factors == nullptr ? 1 : block.factors[i];
    out[i] = limit.offset + block.biases[i] + factor * products;
    mask |= static_cast<uint32_t>(out[i] <= limit.limit) << i;
  }
  return mask;
}

#include "simd/pq_kernel_body.inc"

}  // namespace scalar

constexpr PqKernels kTable = scalar::PqTableOf(InstructionSet::kScalar);

}  // namespace

const PqKernels* ScalarPqTable() { return &kTable; }

}  // namespace vettore::simd
