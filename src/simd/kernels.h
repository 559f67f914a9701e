// The distance kernels: written once over a small vector type, compiled for each instruction set,
// chosen at run time.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace vettore::simd {

// In ascending order. kScalar is the architecture's baseline, which compilers vectorise as far as
// it goes.
enum class InstructionSet { kScalar, kAvx2, kAvx512 };
std::string_view NameOf(InstructionSet set);  // "scalar", "avx2", "avx512"

// a, b: (dim), any alignment. The squared L2 distance; the inner product.
using DistanceFn = float (*)(const float* a, const float* b, size_t dim);
// query: (dim); rows: four pointers to (dim); out: (4). One to four at once, for instruction-level
// parallelism.
using DistanceTo4Fn = void (*)(const float* query, const float* const rows[4], size_t dim,
                               float out[4]);

struct Kernels {
  InstructionSet set;
  DistanceFn l2_squared;
  DistanceFn inner_product;
  DistanceTo4Fn l2_squared_to_4;
  DistanceTo4Fn inner_product_to_4;
};

// The best table that this machine runs, chosen at the first call. VETTORE_SIMD=scalar|avx2|avx512
// in the environment lowers it, for tests. Constant afterwards; thread-safe.
const Kernels& Active();
// Every table that this machine runs, the scalar one first.
std::vector<const Kernels*> Available();

}  // namespace vettore::simd
