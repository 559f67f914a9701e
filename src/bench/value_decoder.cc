#include "bench/value_decoder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/status.h"

namespace vettore::bench {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr size_t kValuesAtOnce = size_t{1} << 16;

// IEEE 754 binary16.
float HalfToFloat(uint16_t half) {
  const int exponent = half >> 10 & 0x1F;
  const int fraction = half & 0x3FF;
  const float sign = (half & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 31) {
    return fraction == 0 ? sign * std::numeric_limits<float>::infinity()
                         : std::numeric_limits<float>::quiet_NaN();
  }
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
}

template <typename Stored, typename Convert>
void Decode(const std::vector<char>& bytes, size_t count, std::vector<float>& out,
            Convert convert) {
  for (size_t i = 0; i < count; ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    out.push_back(convert(stored));
  }
}

void DecodeAs(ElementType type, const std::vector<char>& bytes, size_t count,
              std::vector<float>& out) {
  const auto as_float = [](auto stored) { return static_cast<float>(stored); };
  switch (type) {
    case ElementType::kU8:
      return Decode<uint8_t>(bytes, count, out, as_float);
    case ElementType::kI8:
      return Decode<int8_t>(bytes, count, out, as_float);
    case ElementType::kF16:
      return Decode<uint16_t>(bytes, count, out, HalfToFloat);
    case ElementType::kF32:
      return Decode<float>(bytes, count, out, as_float);
    case ElementType::kF64:
      return Decode<double>(bytes, count, out, as_float);
    case ElementType::kI32:
      return Decode<int32_t>(bytes, count, out, as_float);
  }
}

}  // namespace

size_t SizeOf(ElementType type) {
  switch (type) {
    case ElementType::kU8:
    case ElementType::kI8:
      return 1;
    case ElementType::kF16:
      return 2;
    case ElementType::kF32:
    case ElementType::kI32:
      return 4;
    case ElementType::kF64:
      return 8;
  }
  return 0;
}

absl::Status AppendValues(ByteSource& source, ElementType type, size_t count,
                          std::vector<float>& out) {
  std::vector<char> bytes(std::min(count, kValuesAtOnce) * SizeOf(type));
  while (count > 0) {
    const size_t now = std::min(count, kValuesAtOnce);
    VETTORE_RETURN_IF_ERROR(source.Read({bytes.data(), now * SizeOf(type)}));
    DecodeAs(type, bytes, now, out);
    count -= now;
  }
  return absl::OkStatus();
}

absl::Status AppendValues(ByteSource& source, size_t count, std::vector<int32_t>& out) {
  while (count > 0) {
    const size_t now = std::min(count, kValuesAtOnce);
    const size_t before = out.size();
    out.resize(before + now);
    VETTORE_RETURN_IF_ERROR(
        source.Read({reinterpret_cast<char*>(out.data() + before), now * sizeof(int32_t)}));
    count -= now;
  }
  return absl::OkStatus();
}

}  // namespace vettore::bench
