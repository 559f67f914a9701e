// Threads of a pool that may help with a request that takes long.
#pragma once

#include <functional>

#include "absl/status/status.h"

namespace vettore {

// Without them the calling thread does all. Immutable.
struct Helpers {
  int most = 0;  // That may help at once.
  // Queues a task behind what waits already; refused when there is no room. May be empty when
  // `most` is 0; must be callable from any thread while a task that it queued has not ended.
  std::function<absl::Status(std::function<void()> task)> schedule = {};
};

}  // namespace vettore
