// The header of a NumPy .npy file.
//
//   file   := "\x93NUMPY" major:u8 minor:u8 length dictionary data
//   length := u16 little endian (major 1), u32 little endian (major 2 and 3)
//   dictionary := a Python literal of `length` bytes, padded with spaces and closed by a newline:
//     {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
//
// Source: numpy/lib/format.py's description of format versions 1.0 to 3.0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/format/input_file.h"

namespace vettore {

// Little endian, all of them.
enum class NpyType {
  kFloat16,
  kFloat32,
  kFloat64,
  kInt8,
  kUint8,
  kInt32,
  kUint32,
  kInt64,
  kUint64
};

size_t SizeOf(NpyType type);
std::string_view NameOf(NpyType type);  // "<f4"

struct NpyHeader {
  NpyType type = NpyType::kFloat32;
  std::vector<uint64_t> shape;  // C order
};

// Parses the dictionary. The errors' byte is the offset within `text` plus `offset`, the
// dictionary's place in `file`.
absl::StatusOr<NpyHeader> ParseNpyDictionary(std::string_view text, uint64_t offset,
                                             const InputFile& file);

// Reads from the front of `file` up to its first datum. InvalidArgument, naming file and byte, for
// anything but a C-ordered array of a known type whose data are exactly as long as its shape says
// (where the file's size is known).
absl::StatusOr<NpyHeader> ReadNpyHeader(InputFile& file);

// The header of `shape` values of <f4, padded to 128 bytes whatever the shape (of at most two
// numbers), so that it can be overwritten once the count is known.
std::string WriteNpyHeader(const std::vector<uint64_t>& shape);
inline constexpr size_t kNpyHeaderBytes = 128;

}  // namespace vettore
