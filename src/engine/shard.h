// A shard of a collection in memory: what its one writer changes and its readers see.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "engine/applied_position.h"
#include "engine/id_table.h"
#include "engine/in_flight_writes.h"
#include "engine/prepared_write.h"
#include "engine/producer_table.h"
#include "index/vector_index.h"
#include "payload/payload_index.h"
#include "storage/store.h"

namespace vettore {

struct PlannedDelete {
  Slot slot = kNoSlot;
  PointId id{0};
  Json old_payload = {};  // Set only where the collection indexes payload fields, as below.
};

struct PlannedUpsert {
  Slot slot = kNoSlot;
  bool replaces = false;  // The slot holds this id's point already.
  PreparedPoint point = {};
  Json old_payload = {};
};

// A write with everything decided: committing and applying it needs no look at the state.
struct PlannedWrite {
  Position position;
  std::vector<PlannedDelete> deletes = {};
  std::vector<PlannedUpsert> upserts = {};
  std::optional<ProducerTag> producer = {};
  int64_t unix_ms = 0;  // Stamped on the producer's record.
};

// Which shard it is, and what it runs with.
struct ShardSpec {
  ShardKey key;
  CollectionConfig config;
  uint64_t epoch = 0;
  size_t index_memory_bytes = 0;  // Of each index; see IndexRunOptions.
};

// Memory stands at one position, all of it, whenever `state_mutex` can be taken. The store runs
// ahead of it by the group of writes that is being committed; see ReadConsistently. Thread-safe
// through its two locks.
class Shard {
 public:
  // A new one. Fails where an index cannot be made.
  static absl::StatusOr<std::unique_ptr<Shard>> Make(std::shared_ptr<Store> store,
                                                     const ShardSpec& spec);
  // Without points and indexes as yet.
  Shard(std::shared_ptr<Store> shard_store, const ShardSpec& spec);

  // Makes the write's changes and moves to its position. It is committed already, so that nothing
  // can refuse it: if an index does, `failure` is set and the shard serves no more until it is
  // loaded again.
  void Apply(PlannedWrite& write) ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_gate, state_mutex);

  // Held while a group of writes is planned, committed and applied, and by a reader that must not
  // meet one. Taken before state_mutex.
  mutable absl::Mutex commit_gate ABSL_ACQUIRED_BEFORE(state_mutex);
  // Readers keep it from the index search to the last record that they read, over disk reads too: a
  // slot must not pass to another point in between. The writer takes it exclusively for as long as
  // memory changes, never over disk.
  mutable absl::Mutex state_mutex;

  // --- Constant after construction ---
  const std::shared_ptr<Store> store;
  const ShardKey key;
  const CollectionConfig config;
  // By ordinal of the config; thread-safe each. Set by who makes the shard, before others know it.
  std::vector<std::unique_ptr<VectorIndex>> indexes;

  // --- Synchronising themselves ---
  AppliedPosition applied;
  InFlightWrites in_flight;

  // --- Guarded ---
  ProducerTable producers ABSL_GUARDED_BY(commit_gate);
  IdTable ids ABSL_GUARDED_BY(state_mutex);
  const std::unique_ptr<PayloadIndex> payloads ABSL_PT_GUARDED_BY(state_mutex);
  // Not OK: what every call returns.
  absl::Status failure ABSL_GUARDED_BY(state_mutex);

 private:
  absl::Status ApplyUpsert(PlannedUpsert& upsert)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_gate, state_mutex);
};

}  // namespace vettore
