#include "engine/shard_load.h"

#include <algorithm>
#include <span>
#include <thread>
#include <utility>

#include "base/exceptions.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "engine/index_checkpoint.h"
#include "engine/slot_bound.h"
#include "types/vector.h"

namespace vettore {
namespace {

// Slots whose vectors are read at once.
constexpr size_t kSlotsAtOnce = 1024;

// What one thread has made of a vector's index.
struct LoadedIndex {
  absl::Status status = absl::OkStatus();
  bool is_restored = false;  // From a checkpoint; else all vectors were read.
  SlotBitmap slots = {};     // Of the vectors that were read.
};

absl::Status LoadPoints(Shard& shard)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.commit_gate, shard.state_mutex) {
  // The visits are made under the locks that are held here.
  IdTable* const ids = &shard.ids;
  PayloadIndex* const payloads = shard.payloads.get();
  const Position applied = shard.applied.Get();
  return shard.store->ForEachPoint(
      shard.key, [&](Slot slot, const PointRecord& point) -> absl::Status {
        VETTORE_RETURN_IF_ERROR(CheckSlot(slot, applied));
        if (!ids->Load(slot, point.id)) {
          return absl::DataLossError(StrCat("slot ", slot, ": point ", point.id.ToString(),
                                            " is stored twice or out of order"));
        }
        if (payloads->empty()) return absl::OkStatus();
        Json payload = Json::object();
        if (!point.payload.empty()) {
          absl::StatusOr<Json> decoded = DecodeCbor(point.payload);
          if (!decoded.ok()) {
            return Annotate(decoded.status(), StrCat("point ", point.id.ToString()));
          }
          payload = *std::move(decoded);
        }
        payloads->Add(slot, payload);
        return absl::OkStatus();
      });
}

// The check is made first without words: they are needed for none of millions.
absl::Status CheckVector(Slot slot, std::span<const float> vector, const VectorConfig& config) {
  if (ValidateVector(vector, config.dimension, "").ok()) return absl::OkStatus();
  const absl::Status invalid = ValidateVector(
      vector, config.dimension, StrCat("slot ", slot, ": vector '", config.name, "'"));
  return absl::DataLossError(invalid.message());
}

// Makes the index hold what the records have of the slots. Touches only thread-safe parts of the
// shard.
absl::Status CatchUp(const Shard& shard, size_t ordinal, const SlotBitmap& changed) {
  VectorIndex& index = *shard.indexes[ordinal];
  std::vector<Slot> slots;
  const auto read_some = [&]() -> absl::Status {
    VETTORE_ASSIGN_OR_RETURN(
        const std::vector<std::vector<float>> vectors,
        shard.store->GetVectors(shard.key, static_cast<VectorOrdinal>(ordinal), slots));
    for (size_t i = 0; i < slots.size(); ++i) {
      if (vectors[i].empty()) {
        index.Remove(slots[i]);
        continue;
      }
      VETTORE_RETURN_IF_ERROR(CheckVector(slots[i], vectors[i], shard.config.vectors[ordinal]));
      VETTORE_RETURN_IF_ERROR(index.Put(slots[i], vectors[i]));
    }
    slots.clear();
    return absl::OkStatus();
  };
  absl::Status status;
  changed.ForEach([&](Slot slot) {
    slots.push_back(slot);
    if (slots.size() == kSlotsAtOnce) status = read_some();
    return status.ok();
  });
  VETTORE_RETURN_IF_ERROR(status);
  return slots.empty() ? absl::OkStatus() : read_some();
}

// The last look at an index of a checkpoint: a slot that it misses is read, one without a point is
// removed.
absl::Status Reconcile(const Shard& shard, size_t ordinal)
    ABSL_SHARED_LOCKS_REQUIRED(shard.state_mutex) {
  const SlotBitmap held = shard.indexes[ordinal]->Slots();
  SlotBitmap different = shard.ids.live();
  different.Subtract(held);
  SlotBitmap orphans = held;
  orphans.Subtract(shard.ids.live());
  if (!orphans.empty()) {
    Log(LogLevel::kWarning, "an index held vectors of no point",
        {{"collection", shard.key.collection}, {"vectors", orphans.Count()}});
    different.UniteWith(orphans);
  }
  return CatchUp(shard, ordinal, different);
}

// Puts every vector into the empty index, and says which slots hold one.
absl::StatusOr<SlotBitmap> LoadVectors(const Shard& shard, size_t ordinal) {
  const VectorConfig& config = shard.config.vectors[ordinal];
  const Position applied = shard.applied.Get();
  SlotBitmap slots;
  const absl::Status visited =
      shard.store->ForEachVector(shard.key, static_cast<VectorOrdinal>(ordinal),
                                 [&](Slot slot, std::span<const float> vector) -> absl::Status {
                                   VETTORE_RETURN_IF_ERROR(CheckSlot(slot, applied));
                                   VETTORE_RETURN_IF_ERROR(CheckVector(slot, vector, config));
                                   slots.Insert(slot);
                                   return shard.indexes[ordinal]->Put(slot, vector);
                                 });
  VETTORE_RETURN_IF_ERROR(visited);
  return slots;
}

// Besides the index, only thread-safe parts of the shard are touched: it runs beside LoadPoints.
absl::Status LoadIndex(Shard& shard, size_t ordinal, size_t memory_bytes, LoadedIndex& loaded) {
  const IndexPlace place{*shard.store, shard.key, static_cast<VectorOrdinal>(ordinal)};
  VETTORE_ASSIGN_OR_RETURN(OpenedIndex opened,
                           OpenIndex(place, shard.config.vectors[ordinal], memory_bytes));
  shard.indexes[ordinal] = std::move(opened.index);
  loaded.is_restored = opened.is_restored;
  if (opened.is_restored) return CatchUp(shard, ordinal, opened.changed);
  VETTORE_ASSIGN_OR_RETURN(loaded.slots, LoadVectors(shard, ordinal));
  return absl::OkStatus();
}

// What cannot be deleted now, as on a full disk, is found again by the next load.
void ForgetProducers(Shard& shard, absl::Time now)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.commit_gate) {
  const std::vector<std::string> names = shard.producers.ToForget(/*incoming=*/0, now);
  if (names.empty()) return;
  std::vector<std::unique_ptr<ShardBatch>> batches;
  batches.push_back(shard.store->NewBatch(shard.key));
  for (const std::string& name : names) {
    batches.front()->DeleteProducer(name);
    shard.producers.Erase(name);
  }
  const absl::Status deleted = shard.store->Commit(std::move(batches), Durability::kBuffered);
  if (deleted.ok()) return;
  Log(LogLevel::kWarning, "old producers not deleted",
      {{"collection", shard.key.collection}, {"reason", deleted.message()}});
}

absl::Status LoadProducers(Shard& shard, absl::Time now)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.commit_gate) {
  std::vector<std::pair<std::string, ProducerRecord>> producers;
  VETTORE_RETURN_IF_ERROR(shard.store->ForEachProducer(
      shard.key, [&](std::string_view producer, const ProducerRecord& record) {
        producers.emplace_back(producer, record);
        return absl::OkStatus();
      }));
  std::sort(producers.begin(), producers.end(),
            [](const auto& a, const auto& b) { return a.second.position < b.second.position; });
  for (const auto& [producer, record] : producers) shard.producers.Put(producer, record);
  ForgetProducers(shard, now);
  return absl::OkStatus();
}

absl::Status CheckVectorsHavePoints(const SlotBitmap& vectors, const SlotBitmap& live,
                                    std::string_view name) {
  SlotBitmap orphans = vectors;
  orphans.Subtract(live);
  Slot first = kNoSlot;
  orphans.ForEach([&](Slot slot) {
    first = slot;
    return false;
  });
  if (first == kNoSlot) return absl::OkStatus();
  return absl::DataLossError(StrCat("slot ", first, ": vector '", name, "' belongs to no point (",
                                    orphans.Count(), " such)"));
}

// Brings in what the store holds of an empty shard.
absl::Status LoadRecords(Shard& shard, const ShardSpec& spec, absl::Time now) {
  // Nobody else knows the shard yet; the locks are held for the analysis, and over disk.
  absl::MutexLock gate(&shard.commit_gate);
  absl::MutexLock state(&shard.state_mutex);
  std::vector<LoadedIndex> loaded(shard.indexes.size());
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < loaded.size(); ++i) {
    threads.emplace_back([&loaded, i, &shard, &spec] {
      loaded[i].status = CatchExceptions(
          "load vectors", [&] { return LoadIndex(shard, i, spec.index_memory_bytes, loaded[i]); });
    });
  }
  absl::Status status = LoadPoints(shard);
  status.Update(LoadProducers(shard, now));
  for (std::jthread& thread : threads) thread.join();
  VETTORE_RETURN_IF_ERROR(status);
  for (size_t i = 0; i < loaded.size(); ++i) {
    VETTORE_RETURN_IF_ERROR(loaded[i].status);
    VETTORE_RETURN_IF_ERROR(loaded[i].is_restored
                                ? Reconcile(shard, i)
                                : CheckVectorsHavePoints(loaded[i].slots, shard.ids.live(),
                                                         shard.config.vectors[i].name));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Shard>> LoadShard(std::shared_ptr<Store> store,
                                                 const ShardSpec& spec, absl::Time now) {
  auto shard = std::make_unique<Shard>(std::move(store), spec);
  VETTORE_ASSIGN_OR_RETURN(const Position position, shard->store->AppliedPosition(spec.key));
  if (position != Position{}) shard->applied.Advance(position);
  VETTORE_RETURN_IF_ERROR(
      CatchExceptions("load the collection", [&] { return LoadRecords(*shard, spec, now); }));
  return shard;
}

}  // namespace vettore
