#include "engine/shard.h"

#include <utility>

#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore {

absl::StatusOr<std::unique_ptr<Shard>> Shard::Make(std::shared_ptr<Store> store,
                                                   const ShardSpec& spec) {
  auto shard = std::make_unique<Shard>(std::move(store), spec);
  for (size_t i = 0; i < spec.config.vectors.size(); ++i) {
    IndexRunOptions run{.memory_bytes = spec.index_memory_bytes};
    VETTORE_ASSIGN_OR_RETURN(run.folder,
                             shard->store->IndexFolder(spec.key, static_cast<VectorOrdinal>(i)));
    VETTORE_ASSIGN_OR_RETURN(shard->indexes[i], MakeVectorIndex(spec.config.vectors[i], run));
  }
  return shard;
}

Shard::Shard(std::shared_ptr<Store> shard_store, const ShardSpec& spec)
    : store(std::move(shard_store)),
      key(spec.key),
      config(spec.config),
      indexes(config.vectors.size()),
      applied({.epoch = spec.epoch, .seq = 0}),
      payloads(PayloadIndex::Make(config.payload_indexes)) {}

void Shard::Apply(PlannedWrite& write) {
  for (PlannedDelete& gone : write.deletes) {
    if (!payloads->empty()) payloads->Remove(gone.slot, gone.old_payload);
    for (const auto& index : indexes) index->Remove(gone.slot);
    ids.Erase(gone.slot);
  }
  for (PlannedUpsert& upsert : write.upserts) {
    if (const absl::Status applied_upsert = ApplyUpsert(upsert);
        !applied_upsert.ok() && failure.ok()) {
      failure =
          absl::UnavailableError(StrCat("point ", upsert.point.id.ToString(),
                                        " is stored but not indexed: ", applied_upsert.message(),
                                        "; open the data directory again to rebuild the index"));
      Log(LogLevel::kError, "write not applied", {{"reason", failure.message()}});
    }
  }
  if (write.producer) {
    producers.Put(
        write.producer->producer,
        {.seq = write.producer->seq, .position = write.position, .unix_ms = write.unix_ms});
  }
  applied.Advance(write.position);
}

absl::Status Shard::ApplyUpsert(PlannedUpsert& upsert) {
  const Slot slot = upsert.slot;
  if (!payloads->empty()) {
    if (upsert.replaces) payloads->Remove(slot, upsert.old_payload);
    payloads->Add(slot, upsert.point.payload);
  }
  if (!upsert.replaces) ids.Insert(slot, upsert.point.id);
  absl::Status status;
  for (size_t i = 0; i < indexes.size(); ++i) {
    if (!upsert.point.vectors[i].empty()) {
      status.Update(indexes[i]->Put(slot, upsert.point.vectors[i]));
    } else if (upsert.replaces) {
      indexes[i]->Remove(slot);
    }
  }
  return status;
}

}  // namespace vettore
