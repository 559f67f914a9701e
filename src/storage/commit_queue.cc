#include "storage/commit_queue.h"

#include <algorithm>
#include <utility>

#include "base/exceptions.h"
#include "base/status.h"
#include "storage/rocks_status.h"

namespace vettore {
namespace {

// A group grows up to this size: past it, waiting longer gains nothing over the fsync that is
// saved.
constexpr size_t kGroupBytes = 4 << 20;
constexpr size_t kGroupCommits = 64;

// Appends the records of one batch to another. RocksDB keeps its own way of doing so to itself.
class BatchAppender : public rocksdb::WriteBatch::Handler {
 public:
  BatchAppender(const RocksDatabase& database, rocksdb::WriteBatch& target)
      : database_(database), target_(target) {}

  rocksdb::Status PutCF(uint32_t family, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    return target_.Put(HandleOf(family), key, value);
  }
  rocksdb::Status DeleteCF(uint32_t family, const rocksdb::Slice& key) override {
    return target_.Delete(HandleOf(family), key);
  }
  rocksdb::Status DeleteRangeCF(uint32_t family, const rocksdb::Slice& begin,
                                const rocksdb::Slice& end) override {
    return target_.DeleteRange(HandleOf(family), begin, end);
  }

 private:
  rocksdb::ColumnFamilyHandle* HandleOf(uint32_t id) const {
    for (const ColumnFamilyRow& row : kColumnFamilies) {
      if (database_.handle(row.family)->GetID() == id) return database_.handle(row.family);
    }
    VETTORE_CHECK(false);  // Our own batches hold nothing else.
    return nullptr;
  }

  const RocksDatabase& database_;
  rocksdb::WriteBatch& target_;
};

}  // namespace

CommitQueue::CommitQueue(Options options)
    : database_(*options.database),
      syncer_(*options.syncer),
      failure_(*options.failure),
      last_(options.last),
      guard_(std::move(options.guard)),
      op_log_(*options.database, options.max_op_records) {}

absl::Status CommitQueue::Commit(CommitRequest request) {
  Waiter self{.request = std::move(request)};
  for (const rocksdb::WriteBatch* records : self.request.records) {
    self.bytes += records->GetDataSize();
  }
  // The room is made before the others wait for this one: from then on nothing may throw.
  Group group;
  group.reserve(kGroupCommits);
  {
    absl::MutexLock lock(&mutex_);
    waiters_.push_back(&self);
    self.leads = waiters_.front() == &self;
    mutex_.Await(absl::Condition(&self, &Waiter::is_due));
    if (self.done) return self.status;
    TakeGroup(group);
  }
  {
    absl::MutexLock lock(&write_mutex_);
    WriteGroup(group);
  }
  absl::MutexLock lock(&mutex_);
  for (Waiter* waiter : group) {
    waiters_.pop_front();
    waiter->done = true;
  }
  if (!waiters_.empty()) waiters_.front()->leads = true;
  return self.status;
}

absl::Status CommitQueue::SyncLog() {
  absl::MutexLock lock(&write_mutex_);
  VETTORE_RETURN_IF_ERROR(failure_.Check());
  absl::Status synced = CatchExceptions(
      "sync the log", [&] { return FromRocks(database_.db().SyncWAL(), "sync the log"); });
  if (!synced.ok()) failure_.Set(synced);
  return synced;
}

void CommitQueue::TakeGroup(Group& group) {
  const Waiter& leader = *waiters_.front();
  size_t bytes = 0;
  for (Waiter* waiter : waiters_) {
    const bool joins = leader.request.durability == Durability::kDurable ||
                       waiter->request.durability == Durability::kBuffered;
    const bool alone = leader.request.dropped_shard || waiter->request.dropped_shard;
    bytes += waiter->bytes;
    if (!group.empty() && (!joins || alone || bytes > kGroupBytes)) break;
    group.push_back(waiter);
    if (group.size() == kGroupCommits) break;
  }
}

absl::Status CommitQueue::Admit(const Waiter& waiter) {
  VETTORE_RETURN_IF_ERROR(failure_.Check());
  VETTORE_RETURN_IF_ERROR(guard_.Admit(waiter.bytes, waiter.request.need));
  VETTORE_RETURN_IF_ERROR(op_log_.Stage(waiter.request.op_log));
  if (waiter.request.dropped_shard) op_log_.StageDrop(*waiter.request.dropped_shard);
  return absl::OkStatus();
}

void CommitQueue::WriteGroup(const Group& group) {
  rocksdb::WriteOptions options;
  bool any_admitted = false;
  for (Waiter* waiter : group) {
    waiter->status = CatchExceptions("commit", [&] {
      write_mutex_.AssertHeld();
      return Admit(*waiter);
    });
    if (!waiter->status.ok()) continue;
    any_admitted = true;
    options.sync |= waiter->request.durability == Durability::kDurable;
  }
  if (!any_admitted) return;

  const CommitRecord commit = {.store = last_.store, .number = last_.number + 1};
  rocksdb::WriteBatch empty;
  const absl::StatusOr<rocksdb::WriteBatch*> joined = CatchExceptions("commit", [&] {
    write_mutex_.AssertHeld();
    return Join(group, commit, empty);
  });
  absl::Status status = joined.status();
  if (status.ok()) {
    status = CatchExceptions(
        "commit", [&] { return FromRocks(database_.db().Write(options, *joined), "commit"); });
    // Only now is it in doubt what is on disk.
    if (!status.ok()) failure_.Set(status);
  }
  if (status.ok()) {
    last_ = commit;
    op_log_.Settle();
    syncer_.NoteCommit(commit.number, options.sync ? LogSyncer::LogState::kSynced
                                                   : LogSyncer::LogState::kBuffered);
  } else {
    op_log_.Discard();
  }
  for (Waiter* waiter : group) {
    if (waiter->status.ok()) waiter->status = status;
  }
}

absl::StatusOr<rocksdb::WriteBatch*> CommitQueue::Join(const Group& group,
                                                       const CommitRecord& commit,
                                                       rocksdb::WriteBatch& empty) {
  rocksdb::WriteBatch* target = nullptr;
  for (const Waiter* waiter : group) {
    if (!waiter->status.ok()) continue;
    for (rocksdb::WriteBatch* records : waiter->request.records) {
      if (target == nullptr) {
        target = records;
        continue;
      }
      BatchAppender appender(database_, *target);
      VETTORE_RETURN_IF_ERROR(FromRocks(records->Iterate(&appender), "join batches"));
    }
  }
  if (target == nullptr) target = &empty;
  VETTORE_RETURN_IF_ERROR(op_log_.AddTo(*target));
  VETTORE_RETURN_IF_ERROR(FromRocks(target->Put(database_.handle(ColumnFamily::kStore),
                                                ToSlice(kCommitKey), EncodeCommit(commit)),
                                    "number the commit"));
  return target;
}

}  // namespace vettore
