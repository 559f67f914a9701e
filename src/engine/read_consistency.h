// How a read gets one state out of memory and store, although the store runs ahead while a write is
// being committed.
#pragma once

#include "absl/synchronization/mutex.h"
#include "engine/shard.h"

namespace vettore {

// Set by whatever reads records that a write in flight touches: what was read may be newer than
// memory.
struct ReadConflict {
  bool seen = false;
};

// Calls `read(conflict)` with state_mutex held for reading and returns its result. A read that
// meets a write in flight is made once more with writers shut out, so that its second result is
// always of one state; the first is thrown away, an error too. Reads that meet no write they depend
// on, nearly all, never wait for a disk that syncs.
template <typename Read>
auto ReadConsistently(const Shard& shard, const Read& read) {
  {
    absl::ReaderMutexLock state(&shard.state_mutex);
    ReadConflict conflict;
    auto result = read(conflict);
    if (!conflict.seen) return result;
  }
  absl::ReaderMutexLock gate(&shard.commit_gate);
  absl::ReaderMutexLock state(&shard.state_mutex);
  ReadConflict conflict;
  return read(conflict);
}

}  // namespace vettore
