// What a distance sums, as types that choose a kernel's overloads; private to this room.
#pragma once

namespace vettore::simd {

struct L2SquaredTerm {};
struct InnerProductTerm {};
struct L1Term {};
// Exact integers need the sign of their result's type.
struct SignedProductTerm {};
struct UnsignedProductTerm {};
// Of packed bits.
struct HammingTerm {};
struct CommonBitsTerm {};
struct JaccardTerm {};

}  // namespace vettore::simd
