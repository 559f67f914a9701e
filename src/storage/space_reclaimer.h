// Gives the space of dropped shards back: compacts their ranges, in the background.
#pragma once

#include <atomic>

#include "base/thread_pool.h"
#include "storage/rocks_database.h"

namespace vettore {

// Thread-safe. `database` must outlive it.
class SpaceReclaimer {
 public:
  explicit SpaceReclaimer(const RocksDatabase& database)
      : database_(database), thread_({.name = "store-reclaim", .threads = 1}) {}
  // Stops what is under way. What was not reclaimed falls to the ordinary compactions.
  ~SpaceReclaimer() { stops_ = true; }

  void Reclaim(ShardKey shard);

 private:
  void Compact(ShardKey shard);

  const RocksDatabase& database_;
  std::atomic<bool> stops_{false};
  ThreadPool thread_;  // Last: its tasks use all of the above.
};

}  // namespace vettore
