#include "storage/commit_queue.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "storage/rocks_status.h"

namespace vettore {
namespace {

// A group grows up to this size: past it, waiting longer gains nothing over the fsync that is
// saved.
constexpr size_t kGroupBytes = 4 << 20;

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
  std::vector<Waiter*> group;
  {
    absl::MutexLock lock(&mutex_);
    self.leads = waiters_.empty();
    waiters_.push_back(&self);
    mutex_.Await(absl::Condition(&self, &Waiter::is_due));
    if (self.done) return self.status;
    group = TakeGroup();
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
  const absl::Status synced = CatchExceptions(
      "sync the log", [&] { return FromRocks(database_.db().SyncWAL(), "sync the log"); });
  if (!synced.ok()) failure_.Set(synced);
  return synced;
}

std::vector<CommitQueue::Waiter*> CommitQueue::TakeGroup() {
  std::vector<Waiter*> group = {waiters_.front()};
  size_t bytes = group[0]->bytes;
  if (group[0]->request.dropped_shard) return group;
  for (size_t i = 1; i < waiters_.size(); ++i) {
    Waiter* waiter = waiters_[i];
    const bool joins = group[0]->request.durability == Durability::kDurable ||
                       waiter->request.durability == Durability::kBuffered;
    bytes += waiter->bytes;
    if (!joins || waiter->request.dropped_shard || bytes > kGroupBytes) break;
    group.push_back(waiter);
  }
  return group;
}

absl::Status CommitQueue::Admit(const Waiter& waiter) {
  VETTORE_RETURN_IF_ERROR(failure_.Check());
  VETTORE_RETURN_IF_ERROR(guard_.Admit(waiter.bytes, waiter.request.need));
  VETTORE_RETURN_IF_ERROR(op_log_.Stage(waiter.request.op_log));
  if (waiter.request.dropped_shard) op_log_.StageDrop(*waiter.request.dropped_shard);
  return absl::OkStatus();
}

void CommitQueue::WriteGroup(const std::vector<Waiter*>& group) {
  std::vector<Waiter*> admitted;
  for (Waiter* waiter : group) {
    waiter->status = CatchExceptions("commit", [&] {
      write_mutex_.AssertHeld();
      return Admit(*waiter);
    });
    if (waiter->status.ok()) admitted.push_back(waiter);
  }
  if (admitted.empty()) return;
  const absl::Status written = CatchExceptions("commit", [&] {
    write_mutex_.AssertHeld();
    return Write(admitted);
  });
  if (written.ok()) {
    op_log_.Settle();
  } else {
    op_log_.Discard();
    failure_.Set(written);
  }
  for (Waiter* waiter : admitted) waiter->status = written;
}

absl::Status CommitQueue::Write(const std::vector<Waiter*>& admitted) {
  rocksdb::WriteBatch empty;
  rocksdb::WriteBatch* target = nullptr;
  rocksdb::WriteOptions options;
  for (const Waiter* waiter : admitted) {
    options.sync |= waiter->request.durability == Durability::kDurable;
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
  const CommitRecord commit = {.store = last_.store, .number = last_.number + 1};
  VETTORE_RETURN_IF_ERROR(FromRocks(target->Put(database_.handle(ColumnFamily::kStore),
                                                ToSlice(kCommitKey), EncodeCommit(commit)),
                                    "number the commit"));
  VETTORE_RETURN_IF_ERROR(FromRocks(database_.db().Write(options, target), "commit"));
  last_ = commit;
  syncer_.NoteCommit(commit.number,
                     options.sync ? LogSyncer::LogState::kSynced : LogSyncer::LogState::kBuffered);
  return absl::OkStatus();
}

}  // namespace vettore
