#include "types/vector.h"

#include <cmath>

#include "base/strings.h"

namespace vettore {

absl::Status ValidateVector(std::span<const float> vector, size_t dimension,
                            std::string_view where) {
  if (vector.size() != dimension) {
    return absl::InvalidArgumentError(
        StrCat(where, ": dimension ", vector.size(), ", collection expects ", dimension));
  }
  for (size_t i = 0; i < vector.size(); ++i) {
    if (!std::isfinite(vector[i])) {
      return absl::InvalidArgumentError(
          StrCat(where, ": entry ", i, " is ", vector[i], ", every entry must be finite"));
    }
  }
  return absl::OkStatus();
}

absl::Status NormalizeVector(std::span<float> vector, std::string_view where) {
  // In double the square of the smallest float does not vanish and that of the largest does not
  // overflow.
  double squared = 0;
  for (const float value : vector) squared += double{value} * double{value};
  if (!(squared > 0)) {
    return absl::InvalidArgumentError(
        StrCat(where, ": its length is zero, the cosine metric needs a vector with a direction"));
  }
  const double length = std::sqrt(squared);
  for (float& value : vector) value = static_cast<float>(double{value} / length);
  return absl::OkStatus();
}

}  // namespace vettore
