// The typed kernels for every machine: what the others are judged by.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "simd/first_bytes.h"
#include "simd/kernel_tables.h"
#include "simd/kernel_terms.h"

namespace vettore::simd {
namespace {
namespace scalar_half {

#include "simd/float_lanes_scalar.inc"

// Half: Float16 or BFloat16.
template <typename Half>
inline float At(const Half* p, size_t i) {
  Half value;
  std::memcpy(&value, p + i, sizeof(value));
  return ToFloat(value);
}
template <typename Half>
inline Vec Load(const Half* p) {
  return Vec{At(p, 0), At(p, 1), At(p, 2), At(p, 3)};
}
template <typename Half>
inline Vec LoadFirst(const Half* p, size_t count) {
  return Vec{At(p, 0), count > 1 ? At(p, 1) : 0, count > 2 ? At(p, 2) : 0, 0};
}

#include "simd/half_kernel_body.inc"

}  // namespace scalar_half

namespace scalar_byte {

// One at a time: plain enough to judge the others by.
struct SignedBytes {
  int32_t value;
};
struct UnsignedBytes {
  int32_t value;
};
struct Counts {
  uint32_t sum;
};
inline constexpr size_t kLanes = 1;

inline SignedBytes Load(const int8_t* p) { return {*p}; }
inline UnsignedBytes Load(const uint8_t* p) { return {*p}; }
// Never called: less than one is none.
inline SignedBytes LoadFirst(const int8_t*, size_t) { return {0}; }
inline UnsignedBytes LoadFirst(const uint8_t*, size_t) { return {0}; }
inline UnsignedBytes Offset(SignedBytes v) { return {v.value + 128}; }
inline Counts Add(Counts a, Counts b) { return {a.sum + b.sum}; }
inline uint32_t Total(Counts sums) { return sums.sum; }

inline Counts Plus(Counts sums, int32_t term) { return {sums.sum + static_cast<uint32_t>(term)}; }
inline Counts AddSquares(UnsignedBytes a, UnsignedBytes b, Counts sums) {
  return Plus(sums, (a.value - b.value) * (a.value - b.value));
}
inline Counts AddMagnitudes(UnsignedBytes a, UnsignedBytes b, Counts sums) {
  return Plus(sums, std::abs(a.value - b.value));
}
inline Counts AddProducts(SignedBytes a, SignedBytes b, Counts sums) {
  return Plus(sums, a.value * b.value);
}
inline Counts AddProducts(UnsignedBytes a, UnsignedBytes b, Counts sums) {
  return Plus(sums, a.value * b.value);
}

#include "simd/byte_kernel_body.inc"

}  // namespace scalar_byte

namespace scalar_bits {

struct Bits {
  uint64_t word;
};
struct Counts {
  uint32_t sum;
};
inline constexpr size_t kLanes = sizeof(uint64_t);

inline Bits Load(const std::byte* p) {
  Bits v;
  std::memcpy(&v.word, p, sizeof(v.word));
  return v;
}
inline Bits LoadFirst(const std::byte* p, size_t count) {
  return {FirstBytes(reinterpret_cast<const uint8_t*>(p), count)};
}
inline Bits And(Bits a, Bits b) { return {a.word & b.word}; }
inline Bits Or(Bits a, Bits b) { return {a.word | b.word}; }
inline Bits Xor(Bits a, Bits b) { return {a.word ^ b.word}; }
inline Counts Add(Counts a, Counts b) { return {a.sum + b.sum}; }
inline uint32_t Total(Counts sums) { return sums.sum; }
inline Counts AddOnes(Bits v, Counts sums) {
  return {sums.sum + static_cast<uint32_t>(std::popcount(v.word))};
}

#include "simd/binary_kernel_body.inc"

}  // namespace scalar_bits

constexpr HalfKernels kHalf = scalar_half::HalfTableOf(InstructionSet::kScalar);
constexpr ByteKernels kByte = scalar_byte::ByteTableOf(InstructionSet::kScalar, "scalar");
constexpr BinaryKernels kBinary = scalar_bits::BinaryTableOf(InstructionSet::kScalar, "scalar");

}  // namespace

TypedTables ScalarTypedTables() { return {&kHalf, &kByte, &kBinary}; }

}  // namespace vettore::simd
