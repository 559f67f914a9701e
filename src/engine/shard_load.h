// Brings the records of a shard back into memory.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/shard.h"

namespace vettore {

// The shard at its applied position: points, vectors and producers are read side by side, and
// nothing is embedded. An index is opened from its checkpoint, brought up to date with what the op
// log says has changed since, and compared with the points; without a checkpoint its vectors are
// read, and its graph is built in the background. Producers that have expired at `now`, or are too
// many, are deleted from the store. DataLoss names what does not fit together; ResourceExhausted:
// out of memory.
absl::StatusOr<std::unique_ptr<Shard>> LoadShard(std::shared_ptr<Store> store,
                                                 const ShardSpec& spec, absl::Time now);

}  // namespace vettore
