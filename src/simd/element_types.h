// The 16-bit floats that rows may be stored in, and their conversions.
#pragma once

#include <bit>
#include <cstdint>

namespace vettore::simd {

// IEEE 754 binary16: 5 bits of exponent, 10 of fraction; up to 65,504.
enum class Float16 : uint16_t {};
// bfloat16: the upper half of a 32-bit float; its range, 8 significant bits.
enum class BFloat16 : uint16_t {};

// Exact.
inline float ToFloat(BFloat16 value) {
  return std::bit_cast<float>(uint32_t{static_cast<uint16_t>(value)} << 16);
}

// Exact, subnormals included. Infinities stay, and what is not a number stays so.
inline float ToFloat(Float16 value) {
  const uint32_t bits = static_cast<uint16_t>(value);
  const uint32_t sign = (bits & 0x8000U) << 16;
  const uint32_t shifted = (bits & 0x7FFFU) << 13;
  constexpr uint32_t kInfinity = 0x7C00U << 13;
  // As the bits of a 32-bit float the value is 2^112 times too small, the difference of the biases.
  const float magnitude = shifted >= kInfinity ? std::bit_cast<float>(shifted | 0x7F800000U)
                                               : std::bit_cast<float>(shifted) * 0x1p112F;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
}

// The nearest, ties to even; past the range infinity. What is not a number stays so.
inline BFloat16 ToBFloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<BFloat16>(bits >> 16 | 0x40U);
  return static_cast<BFloat16>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

// The nearest, ties to even; from 65,520 on infinity. What is not a number stays so.
inline Float16 ToFloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000U;
  const uint32_t magnitude = bits & 0x7FFFFFFFU;
  constexpr uint32_t kInfinity = 0x7F800000U;
  constexpr uint32_t kFirstTooLarge = 0x477FF000U;  // 65,520
  constexpr uint32_t kFirstNormal = 0x38800000U;    // 2^-14
  if (magnitude > kInfinity) return static_cast<Float16>(sign | 0x7E00U);
  if (magnitude >= kFirstTooLarge) return static_cast<Float16>(sign | 0x7C00U);
  if (magnitude < kFirstNormal) {
    // The last bit of a sum with 0.5 is 2^-24, that of the subnormals: the addition rounds.
    const float sum = std::bit_cast<float>(magnitude) + 0.5F;
    const uint32_t fraction = std::bit_cast<uint32_t>(sum) - std::bit_cast<uint32_t>(0.5F);
    return static_cast<Float16>(sign | fraction);
  }
  constexpr uint32_t kBias = (127U - 15U) << 23;
  const uint32_t rounded = magnitude - kBias + 0xFFFU + (magnitude >> 13 & 1U);
  return static_cast<Float16>(sign | rounded >> 13);
}

}  // namespace vettore::simd
