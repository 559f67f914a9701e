// A place in the log of a shard.
#pragma once

#include <compare>
#include <cstdint>

namespace vettore {

// Every write is acknowledged with the position at which it stands; a read may ask for a minimum
// one. `seq` grows by one a write request; `epoch` grows when the log gets a new origin, and orders
// before `seq`.
struct Position {
  uint64_t epoch = 0;
  uint64_t seq = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

}  // namespace vettore
