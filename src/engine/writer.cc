#include "engine/writer.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "base/exceptions.h"
#include "base/log.h"
#include "base/status.h"
#include "engine/write_planner.h"

namespace vettore {
namespace {

// Bounds of a group: what its members wait for together, and what stands in memory twice meanwhile.
constexpr size_t kMaxGroupWrites = 256;
constexpr size_t kMaxGroupBytes = size_t{16} << 20;
// How often a queued caller looks whether its client is gone.
constexpr absl::Duration kPollInterval = absl::Milliseconds(100);

// The ids and producers that the writes of a group touch.
class GroupFootprint {
 public:
  // False when `write` could see a write that was added before; it is then not added.
  bool Add(const PreparedWrite& write) {
    if (write.producer && producers_.contains(write.producer->producer)) return false;
    const auto touched = [&](const PointId& id) { return ids_.contains(id); };
    if (std::any_of(write.deletes.begin(), write.deletes.end(), touched) ||
        std::any_of(write.upserts.begin(), write.upserts.end(),
                    [&](const PreparedPoint& point) { return touched(point.id); })) {
      return false;
    }
    if (write.producer) producers_.insert(write.producer->producer);
    ids_.insert(write.deletes.begin(), write.deletes.end());
    for (const PreparedPoint& point : write.upserts) ids_.insert(point.id);
    return true;
  }

 private:
  absl::flat_hash_set<PointId> ids_;
  absl::flat_hash_set<std::string> producers_;
};

}  // namespace

absl::StatusOr<WriteResult> Writer::Write(PreparedWrite write, const CancelToken& cancel) {
  Pending pending(std::move(write), cancel);
  absl::MutexLock lock(&queue_mutex_);
  VETTORE_RETURN_IF_ERROR(closed_);
  VETTORE_RETURN_IF_ERROR(CatchExceptions("queue the write", [&] {
    queue_mutex_.AssertHeld();
    queue_.push_back(&pending);
    return absl::OkStatus();
  }));
  while (pending.stage != Stage::kDone) {
    if (pending.stage == Stage::kTaken) {
      pending.wake.Wait(&queue_mutex_);
    } else if (!leads_ && queue_.front() == &pending) {
      Lead();
    } else if (const absl::Status polled = cancel.Poll(); !polled.ok()) {
      return Leave(pending, polled);
    } else {
      pending.wake.WaitWithDeadline(&queue_mutex_,
                                    std::min(cancel.deadline(), absl::Now() + kPollInterval));
    }
  }
  return std::move(pending.result);
}

absl::Status Writer::Leave(Pending& pending, absl::Status reason) {
  queue_.erase(std::find(queue_.begin(), queue_.end(), &pending));
  // It may have been the one woken to lead.
  if (!leads_ && !queue_.empty()) queue_.front()->wake.Signal();
  return reason;
}

void Writer::Close(const absl::Status& reason) {
  absl::MutexLock lock(&queue_mutex_);
  closed_ = reason;
  for (Pending* pending : queue_) {
    pending->result = reason;
    pending->stage = Stage::kDone;
    pending->wake.Signal();
  }
  queue_.clear();
  queue_mutex_.Await(absl::Condition(this, &Writer::IsIdle));
}

void Writer::Lead() {
  Group group;
  const absl::Status taken = CatchExceptions("write", [&] {
    queue_mutex_.AssertHeld();
    group = TakeGroup();
    return absl::OkStatus();
  });
  if (!taken.ok()) {
    Pending* const leader = queue_.front();
    leader->result = taken;
    leader->stage = Stage::kDone;
    queue_.pop_front();
    if (!queue_.empty()) queue_.front()->wake.Signal();
    return;
  }
  leads_ = true;
  queue_mutex_.Unlock();
  CommitAndApply(group);
  queue_mutex_.Lock();
  for (Pending* pending : group) {
    pending->stage = Stage::kDone;
    pending->wake.Signal();
  }
  leads_ = false;
  if (!queue_.empty()) queue_.front()->wake.Signal();
}

Writer::Group Writer::TakeGroup() {
  Group group;
  size_t bytes = 0;
  GroupFootprint footprint;
  for (Pending* next : queue_) {
    // What a filter deletes is known only once the writes before it are applied.
    if (!group.empty() && (next->write.delete_filter || group.front()->write.delete_filter ||
                           bytes + next->write.bytes > kMaxGroupBytes)) {
      break;
    }
    if (queue_.size() > 1 && !footprint.Add(next->write)) break;
    bytes += next->write.bytes;
    group.push_back(next);
    if (group.size() == kMaxGroupWrites) break;
  }
  for (Pending* taken : group) {
    taken->stage = Stage::kTaken;
    queue_.pop_front();
  }
  return group;
}

void Writer::CommitAndApply(const Group& group) {
  absl::MutexLock gate(&shard_.commit_gate);
  PlannedGroup planned;
  const absl::Status status = CatchExceptions("plan the write", [&] {
    shard_.commit_gate.AssertHeld();
    PlanGroup(group, planned);
    return absl::OkStatus();
  });
  if (!status.ok()) {
    for (Pending* pending : group) pending->result = status;
    return;
  }
  if (planned.writes.empty() && planned.durability == Durability::kBuffered) return;

  const absl::Status committed = CatchExceptions("commit the write", [&] {
    shard_.commit_gate.AssertHeld();
    BeginInFlight(planned.writes);
    return Commit(planned);
  });
  absl::MutexLock state(&shard_.state_mutex);
  if (committed.ok()) {
    Apply(planned);
  } else {
    for (Pending* owner : planned.owners) owner->result = committed;
  }
  shard_.in_flight.End();
}

void Writer::PlanGroup(const Group& group, PlannedGroup& planned) {
  const int64_t unix_ms = absl::ToUnixMillis(clock_());
  absl::ReaderMutexLock state(&shard_.state_mutex);
  WritePlanner planner(shard_);
  for (Pending* pending : group) {
    const auto end_with = [&](const absl::Status& status) { pending->result = status; };
    if (!shard_.failure.ok()) {
      end_with(shard_.failure);
      continue;
    }
    if (const absl::Status polled = pending->cancel.Poll(); !polled.ok()) {
      end_with(polled);
      continue;
    }
    const bool is_durable = pending->write.durability == Durability::kDurable;
    if (const auto duplicate = FindDuplicate(pending->write)) {
      pending->result = *duplicate;
      // The first try may have asked for less than this one.
      if (!is_durable || duplicate->position.seq <= durable_seq_) continue;
    } else {
      auto plan = planner.Plan(pending->write, unix_ms, pending->cancel);
      if (!plan.ok()) {
        end_with(plan.status());
        continue;
      }
      pending->result = WriteResult{.position = plan->position,
                                    .upserted = plan->upserts.size(),
                                    .deleted = plan->deletes.size()};
      planned.writes.push_back(*std::move(plan));
    }
    planned.owners.push_back(pending);
    if (is_durable) planned.durability = Durability::kDurable;
  }
  planned.forgotten_producers = ProducersToForget(planned.writes);
}

std::vector<std::string> Writer::ProducersToForget(std::span<const PlannedWrite> planned) const {
  if (planned.empty()) return {};
  const absl::Time now = clock_();
  size_t incoming = 0;
  for (const PlannedWrite& write : planned) {
    if (write.producer && shard_.producers.Find(write.producer->producer, now) == nullptr) {
      ++incoming;
    }
  }
  return shard_.producers.ToForget(incoming, now);
}

std::optional<WriteResult> Writer::FindDuplicate(const PreparedWrite& write) const {
  if (!write.producer) return std::nullopt;
  const ProducerRecord* last = shard_.producers.Find(write.producer->producer, clock_());
  if (last == nullptr || write.producer->seq > last->seq) return std::nullopt;
  return WriteResult{.position = last->position, .duplicate = true};
}

void Writer::BeginInFlight(std::span<const PlannedWrite> planned) {
  std::vector<Slot> touched;
  size_t deletes = 0;
  for (const PlannedWrite& write : planned) {
    deletes += write.deletes.size();
    for (const PlannedDelete& gone : write.deletes) touched.push_back(gone.slot);
    for (const PlannedUpsert& upsert : write.upserts) {
      if (upsert.replaces) touched.push_back(upsert.slot);
    }
  }
  shard_.in_flight.Begin(touched, deletes);
}

absl::Status Writer::Commit(const PlannedGroup& planned) {
  std::vector<std::unique_ptr<ShardBatch>> batches;
  for (const PlannedWrite& write : planned.writes) {
    batches.push_back(shard_.store->NewBatch(shard_.key));
    if (batches.size() == 1) {
      // Before all else: one that is forgotten may be writing again.
      for (const std::string& name : planned.forgotten_producers) {
        batches.front()->DeleteProducer(name);
      }
    }
    FillBatch(write, shard_.config.vectors.size(), *batches.back());
  }
  return shard_.store->Commit(std::move(batches), planned.durability);
}

void Writer::Apply(PlannedGroup& planned) {
  const absl::Status applied = CatchExceptions("apply a stored write", [&] {
    shard_.commit_gate.AssertHeld();
    shard_.state_mutex.AssertHeld();
    for (const std::string& name : planned.forgotten_producers) shard_.producers.Erase(name);
    for (PlannedWrite& write : planned.writes) shard_.Apply(write);
    return absl::OkStatus();
  });
  if (planned.durability == Durability::kDurable) durable_seq_ = shard_.applied.Get().seq;
  if (applied.ok()) return;
  // Who waits for the position is told of the failure instead.
  shard_.applied.Advance(planned.writes.back().position);
  shard_.failure = FailureOf(absl::StatusCode::kUnavailable, "apply a stored write",
                             "memory ran out; open the data directory again to load it");
  CatchExceptions("log", [&] {
    Log(LogLevel::kError, "write not applied", {{"reason", applied.message()}});
    return absl::OkStatus();
  }).IgnoreError();
}

}  // namespace vettore
