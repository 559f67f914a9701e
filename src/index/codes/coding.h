// How values are written as a code, and read again as a query: one table a quantization.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "simd/code_kernels.h"

namespace vettore {

// Beside a code: the vector is about scale times the code, of which the offset was taken.
struct CodeFactors {
  float scale;
  float squared_norm;  // Of the vector less the centre, before it was coded.
};

// The integers of a code are its levels plus an offset; some levels are halves of odd numbers.
// Immutable.
struct Coding {
  size_t query_step;   // Values; a query is padded with zeros to whole steps.
  size_t line_values;  // In 64 bytes of a code.
  int max_query;       // The largest magnitude of a query's values.
  // A query's inner product with the levels, times `factor`, is factor times that with the code
  // less offset times the query's sum.
  int32_t factor;
  int32_t offset;
  // Whether the levels are all of one length, so that the error of a code follows from its factors
  // (see VectorCodec::ErrorOf); of others it is measured.
  bool is_error_known;
  // Few levels code a vector well only when it is spread evenly over its dimensions.
  bool is_rotated;
  simd::CodeProductsFn simd::CodeKernels::*products;

  // values: (dim); squared_norm: theirs. code: whole lines.
  CodeFactors (*encode)(std::span<const float> values, float squared_norm, std::span<uint8_t> code);
  // The code as values of a query: (whole steps), whatever in those that pad; returns what one of
  // them stands for when the code's scale is 1. Null: the codes are too coarse to be measured
  // against each other.
  float (*decode)(std::span<const uint8_t> code, std::span<int8_t> values);
};

extern const Coding kByteCoding;    // kSq8
extern const Coding kNibbleCoding;  // kSq4
extern const Coding kBitCoding;     // kRaBitQ

}  // namespace vettore
