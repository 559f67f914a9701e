#include "cli/format/vector_rows.h"

#include <utility>

#include "absl/strings/match.h"

namespace vettore {

std::optional<VectorFormat> VectorFormatOf(const std::string& path) {
  if (absl::EndsWithIgnoreCase(path, ".npy")) return VectorFormat::kNpy;
  if (absl::EndsWithIgnoreCase(path, ".fvecs")) return VectorFormat::kFvecs;
  if (absl::EndsWithIgnoreCase(path, ".bvecs")) return VectorFormat::kBvecs;
  return std::nullopt;
}

absl::StatusOr<std::unique_ptr<VectorRows>> OpenVectorRows(InputFile file, VectorFormat format,
                                                           OneDimensional one_dimensional) {
  switch (format) {
    case VectorFormat::kNpy:
      return OpenNpyRows(std::move(file), one_dimensional);
    case VectorFormat::kFvecs:
    case VectorFormat::kBvecs:
      return OpenVecsRows(std::move(file), format);
  }
  return absl::InternalError("a vector format without a reader");
}

}  // namespace vettore
