// What quantization an index picks for itself.
#pragma once

#include <cstddef>

#include "types/quantization.h"

namespace vettore {

// What the codes are of, and what they should fit in.
struct CodeRoom {
  size_t dim = 0;
  size_t count = 0;  // Of vectors.
  size_t bytes = 0;  // Of all codes together.
};

// `wanted` itself unless it is kAuto. That stands for 8 bits a value below 256 dimensions and for 4
// bits from there on (where half the bytes outweigh the coarser code), and for the next coarser one
// while the codes would not fit; for the smallest when none fits. Never kAuto.
Quantization ResolveQuantization(Quantization wanted, const CodeRoom& room);

}  // namespace vettore
