// The vectors of a file, row after row: .npy, .fvecs, .bvecs and index files of FAISS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/format/input_file.h"

namespace vettore {

// Externally synchronised.
class VectorRows {
 public:
  virtual ~VectorRows() = default;

  virtual size_t dimension() const = 0;
  // Absent when the file's size is unknown.
  virtual std::optional<uint64_t> count() const = 0;
  // Reads the next row into `row`, dimension() floats; false at the end. InvalidArgument with the
  // byte of what is wrong; the file cannot be read further then.
  virtual absl::StatusOr<bool> Next(std::vector<float>& row) = 0;
  // Of the row that came last, in a file that has ids.
  virtual std::optional<uint64_t> id() const { return std::nullopt; }
};

enum class VectorFormat { kNpy, kFvecs, kBvecs };
// By the name's extension; nullopt when there is no such format.
std::optional<VectorFormat> VectorFormatOf(const std::string& path);

// Whether an array of one dimension is taken as one row; a whole file of vectors has two.
enum class OneDimensional { kRefuse, kOneRow };

absl::StatusOr<std::unique_ptr<VectorRows>> OpenVectorRows(InputFile file, VectorFormat format,
                                                           OneDimensional one_dimensional);

// .npy of shape (count, dimension), of <f2, <f4, <f8, |i1 or |u1.
absl::StatusOr<std::unique_ptr<VectorRows>> OpenNpyRows(InputFile file,
                                                        OneDimensional one_dimensional);

// .fvecs and .bvecs, as the TEXMEX corpora have them: each row is an i32 dimension and as many f32
// or u8, little endian.
absl::StatusOr<std::unique_ptr<VectorRows>> OpenVecsRows(InputFile file, VectorFormat format);

// By the name's extension: .faiss or .index.
bool IsFaissFile(const std::string& path);
// What an index of FAISS gives back of its vectors, each with its id.
absl::StatusOr<std::unique_ptr<VectorRows>> OpenFaissRows(const std::string& path);

}  // namespace vettore
