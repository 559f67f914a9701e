#include "engine/filter_evaluation.h"

#include <functional>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

using Visit = std::function<absl::Status(Slot, const PointId&, const Json&)>;

constexpr size_t kSlotsPerRead = 512;
// Visiting all points in their order beats picking them one by one once this share of them is asked
// for.
constexpr size_t kScanShare = 8;

// Reads payloads for conditions that no index answers. Externally synchronised.
class PayloadSource {
 public:
  PayloadSource(const Shard& shard, const IdTable& ids, const CancelToken& cancel)
      : shard_(shard), ids_(ids), cancel_(cancel) {}

  // Aborted when a write in flight touches `slots`, which `conflict` then says too.
  absl::Status Read(const SlotBitmap& slots, ReadConflict& conflict, const Visit& visit) const {
    const size_t wanted = slots.Count();
    absl::StatusOr<size_t> visited =
        wanted * kScanShare > ids_.size() ? ScanAll(slots, visit) : PickEach(slots, visit);
    if (shard_.in_flight.Touch(slots)) {
      conflict.seen = true;
      return absl::AbortedError("a write is being committed");
    }
    VETTORE_RETURN_IF_ERROR(visited.status());
    if (*visited == wanted) return absl::OkStatus();
    return absl::DataLossError(
        StrCat("the store holds ", *visited, " of ", wanted, " points that the collection has"));
  }

 private:
  absl::Status VisitRecord(Slot slot, const PointRecord& record, const Visit& visit) const {
    if (record.payload.empty()) return visit(slot, record.id, Json::object());
    absl::StatusOr<Json> payload = DecodeCbor(record.payload);
    if (!payload.ok()) {
      return Annotate(payload.status(), StrCat("point ", record.id.ToString()));
    }
    return visit(slot, record.id, *payload);
  }

  absl::StatusOr<size_t> ScanAll(const SlotBitmap& slots, const Visit& visit) const {
    size_t visited = 0;
    size_t seen = 0;
    VETTORE_RETURN_IF_ERROR(shard_.store->ForEachPoint(
        shard_.key, [&](Slot slot, const PointRecord& record) -> absl::Status {
          if (++seen % kSlotsPerRead == 0) {
            if (absl::Status polled = cancel_.Poll(); !polled.ok()) return polled;
          }
          if (!slots.Contains(slot)) return absl::OkStatus();
          ++visited;
          return VisitRecord(slot, record, visit);
        }));
    return visited;
  }

  absl::StatusOr<size_t> PickEach(const SlotBitmap& slots, const Visit& visit) const {
    size_t visited = 0;
    std::vector<Slot> batch;
    absl::Status status;
    const auto read_batch = [&]() -> absl::Status {
      VETTORE_RETURN_IF_ERROR(cancel_.Poll());
      VETTORE_ASSIGN_OR_RETURN(const auto records, shard_.store->GetPoints(shard_.key, batch));
      for (size_t i = 0; i < batch.size(); ++i) {
        if (!records[i]) continue;
        ++visited;
        VETTORE_RETURN_IF_ERROR(VisitRecord(batch[i], *records[i], visit));
      }
      batch.clear();
      return absl::OkStatus();
    };
    slots.ForEach([&](Slot slot) {
      batch.push_back(slot);
      if (batch.size() == kSlotsPerRead) status = read_batch();
      return status.ok();
    });
    if (status.ok() && !batch.empty()) status = read_batch();
    if (!status.ok()) return status;
    return visited;
  }

  const Shard& shard_;
  const IdTable& ids_;
  const CancelToken& cancel_;
};

}  // namespace

absl::StatusOr<FilterResult> EvaluateFilter(const Shard& shard, const Filter& filter,
                                            const CancelToken& cancel, ReadConflict& conflict) {
  // The lambdas are called under the lock that is held here.
  const IdTable* const ids = &shard.ids;
  const PayloadSource payloads(shard, *ids, cancel);
  const FilterSource source{
      .slot_of = [ids](const PointId& id) { return ids->Find(id); },
      .read = [&](const SlotBitmap& slots,
                  const Visit& visit) { return payloads.Read(slots, conflict, visit); }};
  return shard.payloads->Evaluate(filter, ids->live(), source, cancel);
}

}  // namespace vettore
