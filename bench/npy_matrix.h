// Matrices read from NumPy .npy files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace vettore::bench {

// Row after row. Immutable.
template <typename T>
struct Matrix {
  std::vector<T> values;
  size_t count = 0;
  size_t dim = 0;
  const T* row(size_t i) const { return values.data() + i * dim; }
};

// Two-dimensional, C order, little endian: u1, i1, f2 and f4 become floats. InvalidArgument names
// the file and what is wrong with it.
absl::StatusOr<Matrix<float>> ReadVectors(const std::filesystem::path& path);
// i4.
absl::StatusOr<Matrix<int32_t>> ReadIds(const std::filesystem::path& path);

}  // namespace vettore::bench
