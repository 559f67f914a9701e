// Products of f32 matrices with matrices that are packed for them: what a text encoder spends its
// time on.
#pragma once

#include <cstddef>
#include <vector>

#include "simd/kernels.h"

namespace vettore::simd {

// A (depth, columns) matrix where element (d, c) is values[d * depth_stride + c * column_stride].
struct MatrixView {
  const float* values;
  size_t depth_stride;
  size_t column_stride;
  size_t depth;
  size_t columns;
};

// Borrows all.
struct MatrixProduct {
  const float* left;   // (rows, depth), a row every left_stride floats
  size_t left_stride;  // >= depth
  size_t rows;
  const float* packed;  // What Pack() wrote of a (depth, columns) matrix.
  size_t depth;
  size_t columns;
  const float* bias;  // (columns), or null for none
  float* out;         // (rows, columns), a row every out_stride floats; overlaps nothing else
  size_t out_stride;  // >= columns
};

// After Goto & van de Geijn (2008), "Anatomy of high-performance matrix multiplication": the packed
// matrix lies in panels of a few registers' width, each read once for a tile of rows whose sums
// stay in registers. Results of two instruction sets differ by rounding only. Tables pack each in
// its own way.
struct MatrixKernels {
  InstructionSet set;
  // Floats of a packed matrix of this width are depth times this.
  size_t (*padded_columns)(size_t columns);
  // packed: (depth, padded_columns)
  void (*pack)(const MatrixView& matrix, float* packed);
  // out = left * packed + bias, in each row.
  void (*multiply)(const MatrixProduct& product);
};

// As Active() and Available() of kernels.h.
const MatrixKernels& ActiveMatrixKernels();
std::vector<const MatrixKernels*> AvailableMatrixKernels();

}  // namespace vettore::simd
