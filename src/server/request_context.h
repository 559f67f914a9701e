// What a call carries beside its message.
#pragma once

#include "absl/time/time.h"
#include "base/cancel.h"
#include "base/helpers.h"

namespace vettore {

// Immutable.
struct RequestContext {
  CancelToken cancel;
  absl::Time arrived;    // At the door.
  Helpers helpers = {};  // For what would take one thread long.
};

}  // namespace vettore
