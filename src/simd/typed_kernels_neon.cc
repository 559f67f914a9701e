// The typed kernels for NEON, which every 64-bit ARM has: 16 bytes at a time.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "simd/first_bytes.h"
#include "simd/kernel_tables.h"
#include "simd/kernel_terms.h"

#if defined(__aarch64__)
#include <arm_neon.h>

namespace vettore::simd {
namespace {
namespace neon_half {

#include "simd/float_lanes_neon.inc"

inline Vec Widened(std::type_identity<Float16>, uint16x4_t halves) {
  return {vcvt_f32_f16(vreinterpret_f16_u16(halves))};
}
inline Vec Widened(std::type_identity<BFloat16>, uint16x4_t halves) {
  return {vreinterpretq_f32_u32(vshll_n_u16(halves, 16))};
}
// Half: Float16 or BFloat16.
template <typename Half>
inline Vec Load(const Half* p) {
  return Widened(std::type_identity<Half>{}, vld1_u16(reinterpret_cast<const uint16_t*>(p)));
}
template <typename Half>
inline Vec LoadFirst(const Half* p, size_t count) {
  const uint64_t word = FirstBytes(reinterpret_cast<const uint8_t*>(p), count * sizeof(Half));
  return Widened(std::type_identity<Half>{}, vcreate_u16(word));
}

#include "simd/half_kernel_body.inc"

}  // namespace neon_half

namespace neon_byte {

#include "simd/byte_lanes_neon.inc"

struct SignedBytes {
  int8x16_t lanes;
};
struct UnsignedBytes {
  uint8x16_t lanes;
};

inline SignedBytes Load(const int8_t* p) { return {vld1q_s8(p)}; }
inline UnsignedBytes Load(const uint8_t* p) { return {vld1q_u8(p)}; }
inline SignedBytes LoadFirst(const int8_t* p, size_t count) {
  return {vreinterpretq_s8_u8(LoadFirstBytes(p, count))};
}
inline UnsignedBytes LoadFirst(const uint8_t* p, size_t count) {
  return {LoadFirstBytes(p, count)};
}
inline UnsignedBytes Offset(SignedBytes v) {
  return {veorq_u8(vreinterpretq_u8_s8(v.lanes), vdupq_n_u8(0x80))};
}

inline Counts AddProducts(UnsignedBytes a, UnsignedBytes b, Counts sums) {
  const uint16x8_t low = vmull_u8(vget_low_u8(a.lanes), vget_low_u8(b.lanes));
  return {vpadalq_u16(vpadalq_u16(sums.lanes, low), vmull_high_u8(a.lanes, b.lanes))};
}
// In 32 bits signed and unsigned sums are the same bits.
inline Counts AddProducts(SignedBytes a, SignedBytes b, Counts sums) {
  const int16x8_t low = vmull_s8(vget_low_s8(a.lanes), vget_low_s8(b.lanes));
  const int32x4_t sum = vpadalq_s16(vreinterpretq_s32_u32(sums.lanes), low);
  return {vreinterpretq_u32_s32(vpadalq_s16(sum, vmull_high_s8(a.lanes, b.lanes)))};
}
inline Counts AddSquares(UnsignedBytes a, UnsignedBytes b, Counts sums) {
  const UnsignedBytes differences{vabdq_u8(a.lanes, b.lanes)};
  return AddProducts(differences, differences, sums);
}
inline Counts AddMagnitudes(UnsignedBytes a, UnsignedBytes b, Counts sums) {
  return AddBytes(vabdq_u8(a.lanes, b.lanes), sums);
}

#include "simd/byte_kernel_body.inc"

}  // namespace neon_byte

namespace neon_bits {

#include "simd/byte_lanes_neon.inc"

struct Bits {
  uint8x16_t lanes;
};

inline Bits Load(const std::byte* p) { return {vld1q_u8(reinterpret_cast<const uint8_t*>(p))}; }
inline Bits LoadFirst(const std::byte* p, size_t count) { return {LoadFirstBytes(p, count)}; }
inline Bits And(Bits a, Bits b) { return {vandq_u8(a.lanes, b.lanes)}; }
inline Bits Or(Bits a, Bits b) { return {vorrq_u8(a.lanes, b.lanes)}; }
inline Bits Xor(Bits a, Bits b) { return {veorq_u8(a.lanes, b.lanes)}; }
inline Counts AddOnes(Bits v, Counts sums) { return AddBytes(vcntq_u8(v.lanes), sums); }

#include "simd/binary_kernel_body.inc"

}  // namespace neon_bits

constexpr HalfKernels kHalf = neon_half::HalfTableOf(InstructionSet::kNeon);
constexpr ByteKernels kByte = neon_byte::ByteTableOf(InstructionSet::kNeon, "neon");
constexpr BinaryKernels kBinary = neon_bits::BinaryTableOf(InstructionSet::kNeon, "neon");

}  // namespace

TypedTables NeonTypedTables() { return {&kHalf, &kByte, &kBinary}; }

}  // namespace vettore::simd

#else

namespace vettore::simd {
TypedTables NeonTypedTables() { return {}; }
}  // namespace vettore::simd

#endif
