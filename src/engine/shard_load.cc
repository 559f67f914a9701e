#include "engine/shard_load.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/exceptions.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "types/limits.h"
#include "types/vector.h"

namespace vettore {
namespace {

// What one thread has read of a vector: which slots hold one.
struct LoadedVectors {
  absl::Status status;
  SlotBitmap slots;
};

// A write takes at most limits::kBatchPoints slots that were never used, so that the number of
// writes bounds the slots. Past it a key is damaged, and tables that reach up to it could be larger
// than memory.
absl::Status CheckSlot(Slot slot, Position applied) {
  if (slot / limits::kBatchPoints < applied.seq) return absl::OkStatus();
  return absl::DataLossError(
      StrCat("slot ", slot, ": more than ", applied.seq, " writes can have taken"));
}

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

// Only thread-safe parts of the shard are touched: it runs beside LoadPoints.
LoadedVectors LoadVectors(const Shard& shard, size_t ordinal) {
  const VectorConfig& config = shard.config.vectors[ordinal];
  const Position applied = shard.applied.Get();
  LoadedVectors loaded;
  loaded.status = shard.store->ForEachVector(
      shard.key, static_cast<VectorOrdinal>(ordinal),
      [&](Slot slot, std::span<const float> vector) -> absl::Status {
        VETTORE_RETURN_IF_ERROR(CheckSlot(slot, applied));
        // The check is made first without words: they are needed for none of millions.
        if (!ValidateVector(vector, config.dimension, "").ok()) {
          const absl::Status invalid = ValidateVector(
              vector, config.dimension, StrCat("slot ", slot, ": vector '", config.name, "'"));
          return absl::DataLossError(invalid.message());
        }
        loaded.slots.Insert(slot);
        return shard.indexes[ordinal]->Put(slot, vector);
      });
  return loaded;
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
absl::Status LoadRecords(Shard& shard, absl::Time now) {
  // Nobody else knows the shard yet; the locks are held for the analysis, and over disk.
  absl::MutexLock gate(&shard.commit_gate);
  absl::MutexLock state(&shard.state_mutex);
  std::vector<LoadedVectors> loaded(shard.config.vectors.size());
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < loaded.size(); ++i) {
    threads.emplace_back([&loaded, i, &shard] {
      loaded[i].status = CatchExceptions("load vectors", [&] {
        loaded[i] = LoadVectors(shard, i);
        return loaded[i].status;
      });
    });
  }
  absl::Status status = LoadPoints(shard);
  status.Update(LoadProducers(shard, now));
  for (std::jthread& thread : threads) thread.join();
  VETTORE_RETURN_IF_ERROR(status);
  for (size_t i = 0; i < loaded.size(); ++i) {
    VETTORE_RETURN_IF_ERROR(loaded[i].status);
    VETTORE_RETURN_IF_ERROR(
        CheckVectorsHavePoints(loaded[i].slots, shard.ids.live(), shard.config.vectors[i].name));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Shard>> LoadShard(std::shared_ptr<Store> store, ShardKey key,
                                                 const CollectionConfig& config, uint64_t epoch,
                                                 absl::Time now) {
  VETTORE_ASSIGN_OR_RETURN(std::unique_ptr<Shard> shard,
                           Shard::Make(std::move(store), key, config, epoch));
  VETTORE_ASSIGN_OR_RETURN(const Position position, shard->store->AppliedPosition(key));
  if (position != Position{}) shard->applied.Advance(position);
  VETTORE_RETURN_IF_ERROR(
      CatchExceptions("load the collection", [&] { return LoadRecords(*shard, now); }));
  return shard;
}

}  // namespace vettore
