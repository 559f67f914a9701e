// Matrices read from NumPy .npy files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/matrix.h"

namespace vettore::bench {

// Two-dimensional, C order, little endian: u1, i1, f2 and f4 become floats. InvalidArgument names
// the file and what is wrong with it.
absl::StatusOr<Matrix<float>> ReadVectors(const std::filesystem::path& path);
// i4.
absl::StatusOr<Matrix<int32_t>> ReadIds(const std::filesystem::path& path);

}  // namespace vettore::bench
