// Vectors cross boundaries as views; what enters is checked once, here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace vettore {

// `count` rows of `dim` floats each, row after row. A borrow for the call.
struct MatrixView {
  const float* data = nullptr;
  size_t count = 0;
  size_t dim = 0;
  std::span<const float> row(size_t i) const { return {data + i * dim, dim}; }
};

// InvalidArgument unless `vector` has `dimension` entries, all finite. `where` opens the message:
// `vector 'title': dimension 384, collection expects 768`.
absl::Status ValidateVector(std::span<const float> vector, size_t dimension,
                            std::string_view where);

// Scales to unit length in double precision. InvalidArgument for a vector whose length is zero.
absl::Status NormalizeVector(std::span<float> vector, std::string_view where);

}  // namespace vettore
