// The code kernels for every machine: plain loops, which compilers vectorise as far as the baseline
// goes.
#include <cstddef>
#include <cstdint>

#include "simd/code_kernel_tables.h"

namespace vettore::simd {
namespace {
namespace scalar {

inline constexpr size_t kFloats = 4;

struct Bytes {
  struct Sums {
    int32_t sum;
  };
  struct Query {
    const int8_t* values;  // (kByteStep)
  };
  static Sums None() { return {0}; }
  static Query Load(const int8_t* query) { return {query}; }
  static void Add(const Query& query, const uint8_t* code, Sums& sums) {
    int32_t sum = 0;
    for (size_t i = 0; i < kByteStep; ++i) sum += query.values[i] * code[i];
    sums.sum += sum;
  }
  static int32_t Total(const Sums& sums) { return sums.sum; }
  static void Totals(const Sums& a, const Sums& b, const Sums& c, const Sums& d, int32_t* out) {
    out[0] = a.sum;
    out[1] = b.sum;
    out[2] = c.sum;
    out[3] = d.sum;
  }
};

struct Nibbles {
  using Sums = Bytes::Sums;
  using Query = Bytes::Query;
  static Sums None() { return {0}; }
  static Query Load(const int8_t* query) { return {query}; }
  static void Add(const Query& query, const uint8_t* code, Sums& sums) {
    int32_t sum = 0;
    for (size_t i = 0; i < kNibbleStep / 2; ++i) {
      sum += query.values[i] * (code[i] & 15) + query.values[i + kNibbleStep / 2] * (code[i] >> 4);
    }
    sums.sum += sum;
  }
  static int32_t Total(const Sums& sums) { return sums.sum; }
  static void Totals(const Sums& a, const Sums& b, const Sums& c, const Sums& d, int32_t* out) {
    out[0] = a.sum;
    out[1] = b.sum;
    out[2] = c.sum;
    out[3] = d.sum;
  }
};

struct BitStep {
  const uint8_t* code;  // (64)
  int plane;
  int32_t sum;
};
struct BitPlane {
  const int8_t* values;  // (kBitPlane)
};
inline BitPlane LoadPlane(const int8_t* query) { return {query}; }
inline BitStep LoadBits(const uint8_t* code) { return {code, 0, 0}; }
inline void AddPlane(const BitPlane& plane, BitStep& step) {
  int32_t sum = 0;
  for (size_t i = 0; i < kBitPlane; ++i) {
    sum += plane.values[i] * (step.code[i] >> step.plane & 1);
  }
  step.sum += sum;
  ++step.plane;
}
inline void AddStep(const BitStep& step, Bytes::Sums& sums) { sums.sum += step.sum; }

#include "simd/code_kernel_body.inc"

}  // namespace scalar

constexpr CodeKernels kTable = scalar::CodeTableOf(InstructionSet::kScalar);

}  // namespace

const CodeKernels* ScalarCodeTable() { return &kTable; }

}  // namespace vettore::simd
