// Which shard, and which of its vectors, records and files belong to.
#pragma once

#include <compare>
#include <cstdint>

namespace vettore {

// Numeric ids of collection and shard, never reused.
struct ShardKey {
  uint32_t collection = 0;
  uint16_t shard = 0;
  friend auto operator<=>(const ShardKey&, const ShardKey&) = default;
};

// The index of a named vector in its collection's config: strong, so that it is not taken for a
// slot.
enum class VectorOrdinal : uint16_t {};

}  // namespace vettore
