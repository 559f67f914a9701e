// The distance kernels of 16-bit floats, 8-bit integers and packed bits. As for kernels.h: one
// constant table for each instruction set, chosen at run time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "simd/element_types.h"
#include "simd/kernels.h"

namespace vettore::simd {

// The squared L2 distance, the inner product and the L1 distance.
template <typename Query, typename Row, typename Result>
struct Measures {
  Measure<Query, Row, Result> l2_squared;
  Measure<Query, Row, Result> inner_product;
  Measure<Query, Row, Result> l1;
};

// Widened to 32-bit floats, which is exact, and summed in them; infinities and what is not a number
// go through as in IEEE 754. The one exception: the inner product of two bfloat16 rows on
// "avx512_bf16" takes subnormal elements as zero.
struct HalfKernels {
  InstructionSet set;
  std::string_view name;  // NameOf(set), or with what it needs beyond: "avx512_bf16"
  Measures<float, Float16, float> f32_f16;
  Measures<Float16, Float16, float> f16;
  Measures<float, BFloat16, float> f32_bf16;
  Measures<BFloat16, BFloat16, float> bf16;
};

// The largest dimension for which ByteKernels are exact; the caller keeps to it.
inline constexpr size_t kMaxByteDim = 65'536;

// Exact integers.
struct ByteKernels {
  InstructionSet set;
  std::string_view name;  // NameOf(set), or "avx512_vnni"
  Measures<int8_t, int8_t, int64_t> i8;
  Measures<uint8_t, uint8_t, int64_t> u8;
};

// Bits are packed eight to a byte, in any order that both sides share; `dim` counts bytes, and bits
// that only pad are zero. Exact below 2^29 bytes.
struct BinaryKernels {
  InstructionSet set;
  std::string_view name;  // NameOf(set), or "avx512_vpopcntdq"
  // How many bits differ; how many are set in both.
  Measure<std::byte, std::byte, uint32_t> hamming;
  Measure<std::byte, std::byte, uint32_t> inner_product;
  // 1 - |both| / |either|, in [0, 1]; 0 where no bit is set in either.
  Measure<std::byte, std::byte, float> jaccard;
};

// As Active() and Available() of kernels.h. A table is there only where the machine has all that it
// uses, so that each family may stand at another instruction set.
const HalfKernels& ActiveHalfKernels();
const ByteKernels& ActiveByteKernels();
const BinaryKernels& ActiveBinaryKernels();
std::vector<const HalfKernels*> AvailableHalfKernels();
std::vector<const ByteKernels*> AvailableByteKernels();
std::vector<const BinaryKernels*> AvailableBinaryKernels();

}  // namespace vettore::simd
