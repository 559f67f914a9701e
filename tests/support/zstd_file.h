// Reads what the data sets are made of: zstd-compressed JSONL, .npy and tar.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "types/json.h"

namespace vettore {

// The directory that the environment variable names; nullopt when it is not set or not there.
std::optional<std::filesystem::path> DirectoryFromEnvironment(const char* variable);

// The root of the clone that the tests were built from.
std::filesystem::path SourceDirectory();

// The decompressed contents of a whole .zst file.
absl::StatusOr<std::string> ReadZstdFile(const std::filesystem::path& path);

std::vector<std::string_view> Lines(std::string_view text);
// One JSON value a line.
absl::StatusOr<std::vector<Json>> ParseJsonLines(std::string_view text);

struct FloatMatrix {
  size_t rows = 0, columns = 0;
  std::vector<float> values;  // (rows, columns)
};
// A .npy file's bytes: two dimensions, row-major, '<f4' or '<f2'.
absl::StatusOr<FloatMatrix> ParseNpy(std::string_view bytes);

// The contents of the first regular file of a tar archive whose name ends with `name`.
absl::StatusOr<std::string_view> FindInTar(std::string_view archive, std::string_view name);

}  // namespace vettore
