// Group commit: the requests that wait while one write is under way become the next write.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "rocksdb/write_batch.h"
#include "storage/failure_latch.h"
#include "storage/free_space.h"
#include "storage/log_syncer.h"
#include "storage/op_log.h"
#include "storage/rocks_database.h"

namespace vettore {

// What one caller wants to be written, whole or not at all.
struct CommitRequest {
  std::vector<rocksdb::WriteBatch*> records =
      {};  // In order; borrowed for the call, and used up by it.
  std::vector<OpLogEntry> op_log = {};
  std::optional<ShardKey> dropped_shard = {};  // Its records are deleted by `records`.
  Durability durability = Durability::kDurable;
  SpaceNeed need = SpaceNeed::kData;
};

// Every write of the store goes through here, one group at a time: so the commits are numbered in
// the order in which they stand in the log, and each WriteBatch holds its number. Thread-safe.
class CommitQueue {
 public:
  struct Options {
    const RocksDatabase* database = nullptr;  // These three must outlive the queue.
    LogSyncer* syncer = nullptr;
    FailureLatch* failure = nullptr;
    CommitRecord last;  // The commit that the database stands at.
    uint64_t max_op_records = 0;
    FreeSpaceGuard guard;
  };

  explicit CommitQueue(Options options);

  // Store::Commit says what it returns.
  absl::Status Commit(CommitRequest request) ABSL_LOCKS_EXCLUDED(mutex_, write_mutex_);

  // Returns once every earlier commit is durable. Unavailable when that is not known.
  absl::Status SyncLog() ABSL_LOCKS_EXCLUDED(write_mutex_);

 private:
  struct Waiter {
    CommitRequest request;
    size_t bytes = 0;
    // Guarded by mutex_.
    bool leads = false;
    bool done = false;
    absl::Status status = {};
    bool is_due() const { return leads || done; }
  };

  using Group = std::vector<Waiter*>;

  // Adds the waiters at the front that are written together, as many as `group` has room for: one
  // whose shard is dropped stands alone.
  void TakeGroup(Group& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sets the status of each.
  void WriteGroup(const Group& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  // Whether the waiter takes part in the write.
  absl::Status Admit(const Waiter& waiter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  // The records of the waiters whose status is OK, and `commit`, in the first of their batches; in
  // `empty` where they bring none.
  absl::StatusOr<rocksdb::WriteBatch*> Join(const Group& group, const CommitRecord& commit,
                                            rocksdb::WriteBatch& empty)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);

  const RocksDatabase& database_;
  LogSyncer& syncer_;
  FailureLatch& failure_;

  absl::Mutex mutex_;
  std::deque<Waiter*> waiters_ ABSL_GUARDED_BY(mutex_);  // The front one leads.

  // Held across the write of a group and across a sync of the log: a sync that meets a log whose
  // last write has just failed would abort the process in an assertion of RocksDB. Only the leader
  // and the syncer ever want it.
  absl::Mutex write_mutex_ ABSL_ACQUIRED_AFTER(mutex_);
  CommitRecord last_ ABSL_GUARDED_BY(write_mutex_);
  FreeSpaceGuard guard_ ABSL_GUARDED_BY(write_mutex_);
  OpLog op_log_ ABSL_GUARDED_BY(write_mutex_);
};

}  // namespace vettore
