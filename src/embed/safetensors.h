// Reads tensors from a .safetensors file.
//
// The file: u64 little-endian n; n bytes of JSON {"name": {"dtype", "shape", "data_offsets":
// [begin, end)}, ...,
// "__metadata__": {...}}; the data that the offsets count from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/file.h"

namespace vettore {

// Immutable. The file must not change while this lives.
class SafetensorsFile {
 public:
  struct Tensor {
    std::string dtype;  // "F32", "F16", "BF16", or another that cannot be read as floats.
    std::vector<uint64_t> shape;
    std::string_view bytes;
  };

  // Maps the file and checks its header whole: InvalidArgument when it is malformed or tensors
  // overlap, DataLoss when the file ends before its tensors do. Messages name the file and the
  // tensor.
  static absl::StatusOr<SafetensorsFile> Open(const std::filesystem::path& path);

  const Tensor* Find(std::string_view name) const;
  // The values of a tensor as f32, row-major. InvalidArgument when it is missing, has another
  // shape, or a dtype other than F32, F16 and BF16.
  absl::StatusOr<std::vector<float>> Read(std::string_view name,
                                          std::span<const uint64_t> shape) const;

  const std::string& path() const { return path_; }

 private:
  using Tensors = std::map<std::string, Tensor, std::less<>>;
  SafetensorsFile(std::string path, MappedFile file, Tensors tensors)
      : path_(std::move(path)), file_(std::move(file)), tensors_(std::move(tensors)) {}

  std::string path_;
  MappedFile file_;
  Tensors tensors_;
};

}  // namespace vettore
