// The kernels of product quantization: making codes, making a query's tables, scanning codes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "simd/kernels.h"

namespace vettore::simd {

// Codes are scanned so many at a time, byte i of all of them side by side.
inline constexpr size_t kPqBlockRows = 32;

// The codewords of all sub-spaces; borrowed. A vector of m * dsub floats has m codes below ksub.
struct PqCodebook {
  const float* values;      // (m, dsub, ksub): coordinate after coordinate
  const float* half_norms;  // (m, ksub): half of each codeword's squared norm
  size_t m;
  size_t dsub;
  size_t ksub;  // 16 or 256
};

// A query's tables for 4-bit codes, in bytes, so that one shuffle looks up 16 or more codes at
// once: Andre, Kermarrec & Le Scouarnec (2015), "Cache locality is not enough", and (2017)
// "Accelerated nearest neighbor search with Quick ADC". Byte p of a code holds the codes of
// sub-spaces 2 p (its low half) and 2 p + 1. Two such pairs p, p + 1 (p even) take 128 bytes here:
// the tables of their low halves, 16 bytes each and each twice, then those of their high halves.
// Within 8 pairs (0 to 7, 8 to 15, ...), the largest entries of the even ones sum up to at most
// 255, and so do those of the odd ones; all largest entries to at most 65,535. So no sum overflows.
struct Pq4Tables {
  const uint8_t* bytes;  // (pairs / 2, 128)
  size_t pairs;          // A multiple of 2.
  float scale;           // What one unit of a sum is worth.
};

// 32 codes, what is added to each one's estimate, and what its products are multiplied by.
struct PqBlock {
  const uint8_t* codes;            // (bytes of a code, 32)
  const float* biases;             // (32)
  const float* factors = nullptr;  // (32); null: 1. Only of 4-bit codes.
};

// An estimate is offset + bias + factor * (products + scale * (sum of the table entries)); what is
// above `limit` is of no interest.
struct PqLimit {
  float offset;
  float limit;
  float products = 0;
};

struct PqKernels {
  InstructionSet set;

  // codes[s] = the codeword nearest to sub-vector s in L2, the first of equals. vector: (m * dsub).
  // codes: (m).
  void (*encode)(const PqCodebook& book, const float* vector, uint8_t* codes);
  // out[s][c] = <sub-vector s, codeword c of s>. out: (m, ksub).
  void (*inner_products)(const PqCodebook& book, const float* vector, float* out);
  // The smallest entry and the range (largest less smallest) of each table. tables: (count, 16).
  void (*table_ranges)(const float* tables, size_t count, float* smallest, float* ranges);
  // One table as bytes: (entry - smallest) * scale, rounded down; twice. table: (16); out: (32).
  void (*quantize_table)(const float* table, float smallest, float scale, uint8_t* out);

  // A mask of the rows whose estimate is at most the limit. out: (32) estimates; set where the mask
  // is not zero.
  uint32_t (*scan4)(const Pq4Tables& tables, const PqBlock& block, const PqLimit& limit,
                    float* out);
  // The same with a byte a code and scale 1. tables: (m, 256).
  uint32_t (*scan8)(const float* tables, size_t m, const PqBlock& block, const PqLimit& limit,
                    float* out);
};

// As Active() and Available() of kernels.h.
const PqKernels& ActivePq();
// Every table that this machine runs, the scalar one first.
std::vector<const PqKernels*> AvailablePq();

}  // namespace vettore::simd
