#include "storage/shard_batch.h"

#include <array>
#include <string>

#include "base/status.h"
#include "storage/record_codec.h"
#include "storage/rocks_status.h"

namespace vettore {
namespace {

// A batch in memory takes every record: only its limit of 4 GiB, which no request comes near, or a
// bug fails it.
void CheckTaken(const rocksdb::Status& status) { VETTORE_CHECK(status.ok()); }

}  // namespace

void RocksShardBatch::PutPoint(Slot slot, const PointRecord& point) {
  CheckTaken(records_.Put(database_.handle(ColumnFamily::kPoints), PointKey(shard_, slot),
                          EncodePoint(point)));
  CheckTaken(records_.Put(database_.handle(ColumnFamily::kIds), IdKey(shard_, point.id),
                          EncodeSlot(slot)));
}

void RocksShardBatch::PutVector(Slot slot, VectorOrdinal ordinal, std::span<const float> vector) {
  const std::string key = VectorKey(shard_, ordinal, slot);
  const rocksdb::Slice key_part = ToSlice(key);
  const std::array<rocksdb::Slice, 2> value_parts = {
      ToSlice(kVectorHeader),
      rocksdb::Slice(reinterpret_cast<const char*>(vector.data()), vector.size_bytes())};
  CheckTaken(records_.Put(database_.handle(ColumnFamily::kVectors),
                          rocksdb::SliceParts(&key_part, 1),
                          rocksdb::SliceParts(value_parts.data(), value_parts.size())));
}

void RocksShardBatch::DeleteVector(Slot slot, VectorOrdinal ordinal) {
  CheckTaken(
      records_.Delete(database_.handle(ColumnFamily::kVectors), VectorKey(shard_, ordinal, slot)));
}

void RocksShardBatch::DeletePoint(Slot slot, const PointId& id) {
  CheckTaken(records_.Delete(database_.handle(ColumnFamily::kPoints), PointKey(shard_, slot)));
  CheckTaken(records_.Delete(database_.handle(ColumnFamily::kIds), IdKey(shard_, id)));
}

void RocksShardBatch::PutProducer(std::string_view producer, const ProducerRecord& record) {
  CheckTaken(records_.Put(database_.handle(ColumnFamily::kProducers), ProducerKey(shard_, producer),
                          EncodeProducer(record)));
}

void RocksShardBatch::DeleteProducer(std::string_view producer) {
  CheckTaken(
      records_.Delete(database_.handle(ColumnFamily::kProducers), ProducerKey(shard_, producer)));
}

void RocksShardBatch::AppendOps(Position position, std::span<const Op> ops) {
  VETTORE_CHECK(!position_.has_value());
  position_ = position;
  CheckTaken(
      records_.Put(database_.handle(ColumnFamily::kOps), OpsKey(shard_, position), EncodeOps(ops)));
}

}  // namespace vettore
