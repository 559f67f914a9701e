// Stored numbers of a file as floats or row numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "bench/byte_source.h"

namespace vettore::bench {

// Little endian.
enum class ElementType { kU8, kI8, kF16, kF32, kF64, kI32 };
size_t SizeOf(ElementType type);

// Appends the next `count` stored values. InvalidArgument when the source ends before.
absl::Status AppendValues(ByteSource& source, ElementType type, size_t count,
                          std::vector<float>& out);
absl::Status AppendValues(ByteSource& source, size_t count, std::vector<int32_t>& out);

}  // namespace vettore::bench
