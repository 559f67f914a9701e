// Where the time of a request went, as the API tells it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace vettore {

inline uint64_t Microseconds(absl::Duration duration) {
  return static_cast<uint64_t>(std::max<int64_t>(absl::ToInt64Microseconds(duration), 0));
}

}  // namespace vettore
