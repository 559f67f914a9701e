// The distance kernels of 32-bit floats: written once over a small vector type, compiled for each
// instruction set, chosen at run time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace vettore::simd {

// In ascending order. kScalar is the architecture's baseline, which compilers vectorise as far as
// it goes; kNeon is what every 64-bit ARM has.
enum class InstructionSet { kScalar, kNeon, kAvx2, kAvx512 };
constexpr std::string_view NameOf(InstructionSet set) {
  switch (set) {
    case InstructionSet::kScalar:
      return "scalar";
    case InstructionSet::kNeon:
      return "neon";
    case InstructionSet::kAvx2:
      return "avx2";
    case InstructionSet::kAvx512:
      return "avx512";
  }
  return "unknown";
}

// Rows of a table, in any order and as often as wished: row n begins n * stride_bytes after `base`.
template <typename Row>
struct Gather {
  const Row* base;
  size_t stride_bytes;      // At least a row; what stands between rows is never read.
  const uint32_t* numbers;  // (count)
  size_t count;
};

// One distance in three shapes. Whatever the shape and whatever is measured beside it, the same two
// rows give the same bits. Any alignment; nothing past a row's end is read.
template <typename Query, typename Row, typename Result>
struct Measure {
  // a, b: (dim).
  using One = Result (*)(const Query* a, const Row* b, size_t dim);
  // query: (dim); rows: four pointers to (dim); out: (4). Four at once, for instruction-level
  // parallelism.
  using To4 = void (*)(const Query* query, const Row* const rows[4], size_t dim, Result out[4]);
  // query: (dim); out: (rows.count), in the order of rows.numbers. Fetches rows ahead of their
  // turn.
  using ToMany = void (*)(const Query* query, const Gather<Row>& rows, size_t dim, Result* out);

  One one;
  To4 to_4;
  ToMany to_many;
};

using DistanceFn = Measure<float, float, float>::One;
using DistanceTo4Fn = Measure<float, float, float>::To4;
using DistanceToManyFn = Measure<float, float, float>::ToMany;

// The squared L2 distance; the inner product; the L1 distance.
struct Kernels {
  InstructionSet set;
  DistanceFn l2_squared;
  DistanceFn inner_product;
  DistanceFn l1;
  DistanceTo4Fn l2_squared_to_4;
  DistanceTo4Fn inner_product_to_4;
  DistanceTo4Fn l1_to_4;
  DistanceToManyFn l2_squared_to_many;
  DistanceToManyFn inner_product_to_many;
  DistanceToManyFn l1_to_many;
};

// The best table that this machine runs, chosen at the first call.
// VETTORE_SIMD=scalar|neon|avx2|avx512 in the environment lowers it, for tests. Constant
// afterwards; thread-safe.
const Kernels& Active();
// Every table that this machine runs, the scalar one first.
std::vector<const Kernels*> Available();

}  // namespace vettore::simd
