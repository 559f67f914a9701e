// Whole files of vectors, and of row numbers, read into memory.
#pragma once

#include <filesystem>

#include "absl/status/statusor.h"
#include "bench/matrix.h"

namespace vettore::bench {

// Whether the name ends as a file that ReadVectors reads: .npy, .fvecs, .bvecs, .ivecs, each also
// with .zst behind.
bool IsVectorFile(const std::filesystem::path& path);

// .npy of two dimensions in C order, little endian, of u1, i1, f2, f4, f8 or i4; .fvecs, .bvecs and
// .ivecs as the TEXMEX corpora have them. Everything becomes f32 as it is read, so that the file's
// bytes and the floats are not in memory together. InvalidArgument names the file, and what is
// wrong with it: another type, rows of several dimensions, an end too early, bytes left over,
// values that are not finite. NotFound.
absl::StatusOr<Matrix<float>> ReadVectors(const std::filesystem::path& path);

// .npy of i4 and .ivecs: the exact neighbours that come with a data set.
absl::StatusOr<Neighbors> ReadNeighbors(const std::filesystem::path& path);

}  // namespace vettore::bench
