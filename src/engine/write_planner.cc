#include "engine/write_planner.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "engine/filter_evaluation.h"
#include "types/limits.h"

namespace vettore {
namespace {

// A replaced or deleted point whose payload the indexes hold.
struct OldPayload {
  Slot slot;
  Json* place;
};

// A write may replace or delete many points: their records are read, and let go, so many at a time.
constexpr size_t kSlotsPerRead = 512;

// The indexed fields of a record's payload, each under its whole path, where FindPath looks first.
absl::StatusOr<Json> IndexedPart(const std::optional<PointRecord>& record,
                                 const CollectionConfig& config) {
  if (!record) return absl::DataLossError("it is not in the store");
  Json indexed = Json::object();
  if (record->payload.empty()) return indexed;
  VETTORE_ASSIGN_OR_RETURN(const Json payload, DecodeCbor(record->payload));
  for (const PayloadIndexConfig& index : config.payload_indexes) {
    if (const Json* value = FindPath(payload, index.field)) indexed[index.field] = *value;
  }
  return indexed;
}

}  // namespace

absl::StatusOr<PlannedWrite> WritePlanner::Plan(PreparedWrite& write, int64_t unix_ms,
                                                const CancelToken& cancel) {
  shard_.commit_gate.AssertHeld();
  shard_.state_mutex.AssertReaderHeld();
  const size_t slots_taken_before = slots_taken_;
  PlannedWrite planned{.position = {.epoch = next_.epoch, .seq = next_.seq + 1},
                       .producer = write.producer,
                       .unix_ms = unix_ms};
  absl::Status status = PlanDeletes(write, cancel, planned);
  if (status.ok()) status = PlanUpserts(write, planned);
  if (status.ok() && !shard_.payloads->empty()) status = ReadOldPayloads(cancel, planned);
  if (!status.ok()) {
    slots_taken_ = slots_taken_before;
    return status;
  }
  next_ = planned.position;
  return planned;
}

absl::Status WritePlanner::PlanDeletes(PreparedWrite& write, const CancelToken& cancel,
                                       PlannedWrite& planned) {
  const IdTable* const ids = &shard_.ids;  // Read under the lock that is held here.
  SlotBitmap matched;
  if (write.delete_filter) {
    ReadConflict conflict;  // The gate is held: there is none.
    VETTORE_ASSIGN_OR_RETURN(FilterResult result,
                             EvaluateFilter(shard_, *write.delete_filter, cancel, conflict));
    matched = std::move(result.slots);
    for (const PreparedPoint& point : write.upserts) {
      // It is replaced, which is deleted and written.
      if (const Slot slot = ids->Find(point.id); slot != kNoSlot) matched.Remove(slot);
    }
  }
  for (const PointId& id : write.deletes) {
    if (const Slot slot = ids->Find(id); slot != kNoSlot) matched.Insert(slot);
  }
  if (const size_t count = matched.Count(); count > limits::kDeletePoints) {
    return absl::InvalidArgumentError(
        StrCat("filter: ", count, " points to delete, at most ", limits::kDeletePoints,
               " in one atomic write; narrow the filter, or delete the collection"));
  }
  matched.ForEach([&](Slot slot) {
    planned.deletes.push_back({.slot = slot, .id = ids->id(slot)});
    return true;
  });
  return absl::OkStatus();
}

absl::Status WritePlanner::PlanUpserts(PreparedWrite& write, PlannedWrite& planned) {
  planned.upserts.reserve(write.upserts.size());
  for (PreparedPoint& point : write.upserts) {
    Slot slot = shard_.ids.Find(point.id);
    const bool replaces = slot != kNoSlot;
    if (!replaces) slot = shard_.ids.Unused(slots_taken_++);
    if (slot == kNoSlot) {
      return absl::ResourceExhaustedError(
          StrCat("the collection is full: it holds ", shard_.ids.size(), " points"));
    }
    planned.upserts.push_back({.slot = slot, .replaces = replaces, .point = std::move(point)});
  }
  return absl::OkStatus();
}

absl::Status WritePlanner::ReadOldPayloads(const CancelToken& cancel, PlannedWrite& planned) {
  std::vector<OldPayload> old;
  for (PlannedDelete& gone : planned.deletes) old.push_back({gone.slot, &gone.old_payload});
  for (PlannedUpsert& upsert : planned.upserts) {
    if (upsert.replaces) old.push_back({upsert.slot, &upsert.old_payload});
  }
  std::sort(old.begin(), old.end(),
            [](const OldPayload& a, const OldPayload& b) { return a.slot < b.slot; });
  std::vector<Slot> slots;
  for (size_t first = 0; first < old.size(); first += kSlotsPerRead) {
    VETTORE_RETURN_IF_ERROR(cancel.Poll());
    slots.clear();
    for (size_t i = first; i < std::min(first + kSlotsPerRead, old.size()); ++i) {
      slots.push_back(old[i].slot);
    }
    VETTORE_ASSIGN_OR_RETURN(const auto records, shard_.store->GetPoints(shard_.key, slots));
    for (size_t i = 0; i < slots.size(); ++i) {
      absl::StatusOr<Json> indexed = IndexedPart(records[i], shard_.config);
      if (!indexed.ok()) {
        return Annotate(indexed.status(), StrCat("point ", shard_.ids.id(slots[i]).ToString()));
      }
      *old[first + i].place = *std::move(indexed);
    }
  }
  return absl::OkStatus();
}

void FillBatch(const PlannedWrite& write, size_t vector_count, ShardBatch& batch) {
  std::vector<Op> ops;
  ops.reserve(write.deletes.size() + write.upserts.size());
  for (const PlannedDelete& gone : write.deletes) {
    batch.DeletePoint(gone.slot, gone.id);
    for (size_t i = 0; i < vector_count; ++i) {
      batch.DeleteVector(gone.slot, static_cast<VectorOrdinal>(i));
    }
    ops.push_back({.kind = OpKind::kDelete, .id = gone.id, .slot = gone.slot});
  }
  for (const PlannedUpsert& upsert : write.upserts) {
    const PreparedPoint& point = upsert.point;
    batch.PutPoint(
        upsert.slot,
        {.id = point.id, .version = write.position.seq, .payload = point.record_payload});
    for (size_t i = 0; i < vector_count; ++i) {
      const auto ordinal = static_cast<VectorOrdinal>(i);
      if (!point.vectors[i].empty()) {
        batch.PutVector(upsert.slot, ordinal, point.vectors[i]);
      } else if (upsert.replaces) {
        batch.DeleteVector(upsert.slot, ordinal);
      }
    }
    ops.push_back({.kind = OpKind::kUpsert, .id = point.id, .slot = upsert.slot});
  }
  if (write.producer) {
    batch.PutProducer(
        write.producer->producer,
        {.seq = write.producer->seq, .position = write.position, .unix_ms = write.unix_ms});
  }
  batch.AppendOps(write.position, ops);
}

}  // namespace vettore
