// Rows of vectors, or of row numbers, in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vettore::bench {

// `count` rows of `dim` values each, row after row. Externally synchronised.
template <typename T>
struct Matrix {
  std::vector<T> values = {};  // (count, dim)
  size_t count = 0;
  size_t dim = 0;

  const T* row(size_t i) const { return values.data() + i * dim; }
  std::span<const T> span(size_t i) const { return {row(i), dim}; }
};

// Row numbers of a base, nearest first; kNoRow fills a row when fewer are allowed.
using Neighbors = Matrix<int32_t>;
inline constexpr int32_t kNoRow = -1;

}  // namespace vettore::bench
