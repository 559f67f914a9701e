// The batch of a request as RocksDB records.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "rocksdb/write_batch.h"
#include "storage/rocks_database.h"
#include "storage/store.h"

namespace vettore {

// Externally synchronised. `database` must outlive it.
class RocksShardBatch : public ShardBatch {
 public:
  RocksShardBatch(const RocksDatabase& database, ShardKey shard)
      : database_(database), shard_(shard) {}

  void PutPoint(Slot slot, const PointRecord& point) override;
  void PutVector(Slot slot, VectorOrdinal ordinal, std::span<const float> vector) override;
  void DeleteVector(Slot slot, VectorOrdinal ordinal) override;
  void DeletePoint(Slot slot, const PointId& id) override;
  void PutProducer(std::string_view producer, const ProducerRecord& record) override;
  void DeleteProducer(std::string_view producer) override;
  void AppendOps(Position position, std::span<const Op> ops) override;

  ShardKey shard() const { return shard_; }
  // Where its op-log record stands; nullopt: it has none.
  const std::optional<Position>& position() const { return position_; }
  rocksdb::WriteBatch& records() { return records_; }

 private:
  const RocksDatabase& database_;
  const ShardKey shard_;
  std::optional<Position> position_;
  rocksdb::WriteBatch records_;
};

}  // namespace vettore
