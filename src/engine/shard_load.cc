#include "engine/shard_load.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "types/vector.h"

namespace vettore {
namespace {

// What one thread has read of a vector: which slots hold one.
struct LoadedVectors {
  absl::Status status;
  SlotBitmap slots;
};

absl::Status LoadPoints(Shard& shard)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.commit_gate, shard.state_mutex) {
  // The visits are made under the locks that are held here.
  IdTable* const ids = &shard.ids;
  PayloadIndex* const payloads = shard.payloads.get();
  return shard.store->ForEachPoint(
      shard.key, [&](Slot slot, const PointRecord& point) -> absl::Status {
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
  LoadedVectors loaded;
  loaded.status = shard.store->ForEachVector(
      shard.key, static_cast<VectorOrdinal>(ordinal),
      [&](Slot slot, std::span<const float> vector) -> absl::Status {
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

absl::Status LoadProducers(Shard& shard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.commit_gate) {
  std::vector<std::pair<std::string, ProducerRecord>> producers;
  VETTORE_RETURN_IF_ERROR(shard.store->ForEachProducer(
      shard.key, [&](std::string_view producer, const ProducerRecord& record) {
        producers.emplace_back(producer, record);
        return absl::OkStatus();
      }));
  std::sort(producers.begin(), producers.end(),
            [](const auto& a, const auto& b) { return a.second.position < b.second.position; });
  for (const auto& [producer, record] : producers) shard.producers.Put(producer, record);
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

}  // namespace

absl::StatusOr<std::unique_ptr<Shard>> LoadShard(std::shared_ptr<Store> store, ShardKey key,
                                                 const CollectionConfig& config, uint64_t epoch) {
  VETTORE_ASSIGN_OR_RETURN(std::unique_ptr<Shard> shard,
                           Shard::Make(std::move(store), key, config, epoch));
  VETTORE_ASSIGN_OR_RETURN(const Position position, shard->store->AppliedPosition(key));
  if (position != Position{}) shard->applied.Advance(position);

  // Nobody else knows the shard yet; the locks are held for the analysis, and over disk.
  absl::MutexLock gate(&shard->commit_gate);
  absl::MutexLock state(&shard->state_mutex);
  std::vector<LoadedVectors> loaded(config.vectors.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < loaded.size(); ++i) {
    threads.emplace_back(
        [&loaded, i, reader = shard.get()] { loaded[i] = LoadVectors(*reader, i); });
  }
  absl::Status status = LoadPoints(*shard);
  status.Update(LoadProducers(*shard));
  for (std::thread& thread : threads) thread.join();
  VETTORE_RETURN_IF_ERROR(status);
  for (size_t i = 0; i < loaded.size(); ++i) {
    VETTORE_RETURN_IF_ERROR(loaded[i].status);
    VETTORE_RETURN_IF_ERROR(
        CheckVectorsHavePoints(loaded[i].slots, shard->ids.live(), config.vectors[i].name));
  }
  return shard;
}

}  // namespace vettore
