// Inner products of an 8-bit query with quantised codes: what a search in memory spends its time
// on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "simd/kernels.h"

namespace vettore::simd {

// A query is padded with zeros to whole steps; what pads a code is then of no consequence.
inline constexpr size_t kByteStep = 64;     // Values, and bytes, of a step of byte codes.
inline constexpr size_t kNibbleStep = 128;  // Values of a step of nibble codes, in 64 bytes.
inline constexpr size_t kBitStep = 512;     // Values of a step of bit codes, in 64 bytes.
inline constexpr size_t kBitPlane = 64;     // The last of them may end early, after whole planes.
// Of query values. AVX2 adds two products in 16 bits: 2 * 255 * 64 < 2^15, and eight times
// 2 * 15 * 127 < 2^15, and sixteen times 2 * 127 < 2^15.
inline constexpr int kMaxByteQuery = 64;
inline constexpr int kMaxNibbleQuery = 127;
inline constexpr int kMaxBitQuery = 127;
// Up to it no sum overflows: 65,536 * 255 * 64 < 2^31.
inline constexpr size_t kMaxCodeDim = 65'536;

// out[i] = the inner product of the query with code i; exact. Codes are unsigned; who wrote them
// knows their offset.
// query: (dim), any alignment; codes: (count) pointers; dim: whole steps; out: (count).
// Byte codes: value j is byte j. Nibble codes: of step s, byte j holds value 128 s + j in its low
// half and value 128 s + 64 + j in its high half. Bit codes: of step s, bit b of byte j is value
// 512 s + 64 b + j; dim: whole planes.
using CodeProductsFn = void (*)(const int8_t* query, const uint8_t* const* codes, size_t count,
                                size_t dim, int32_t* out);

// The Walsh-Hadamard transform of values[i] * factors[i], in place and not scaled: twice it is the
// identity times `size`. values, factors: (size), a power of two.
using HadamardTransformFn = void (*)(float* values, const float* factors, size_t size);
// out = a - b; returns the squared length. a, b, out: (dim).
using SubtractFn = float (*)(const float* a, const float* b, size_t dim, float* out);
// The largest magnitude of the values, of which none is "not a number". values: (dim).
using LargestMagnitudeFn = float (*)(const float* values, size_t dim);
// out[i] = values[i] * factor, rounded to the nearest integer, which is in [-127, 127]; returns
// their sum. values, out: (dim).
using QuantizeFn = int32_t (*)(const float* values, size_t dim, float factor, int8_t* out);

struct CodeKernels {
  InstructionSet set;
  CodeProductsFn byte_products;
  CodeProductsFn nibble_products;
  CodeProductsFn bit_products;
  HadamardTransformFn hadamard_transform;
  SubtractFn subtract;
  LargestMagnitudeFn largest_magnitude;
  QuantizeFn quantize;
};

// As Active() and Available() of kernels.h.
const CodeKernels& ActiveCodeKernels();
std::vector<const CodeKernels*> AvailableCodeKernels();

}  // namespace vettore::simd
