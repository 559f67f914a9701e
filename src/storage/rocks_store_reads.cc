// The reads of a store.
#include <array>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "base/exceptions.h"
#include "base/status.h"
#include "base/strings.h"
#include "storage/record_reads.h"
#include "storage/rocks_status.h"
#include "storage/rocks_store.h"

namespace vettore {

absl::StatusOr<std::vector<std::optional<rocksdb::PinnableSlice>>> RocksStore::GetAll(
    ColumnFamily family, std::span<const std::string> keys) const {
  return CatchExceptions(
      "read", [&]() -> absl::StatusOr<std::vector<std::optional<rocksdb::PinnableSlice>>> {
        std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
        std::vector<rocksdb::PinnableSlice> found(keys.size());
        std::vector<rocksdb::Status> statuses(keys.size());
        database_->db().MultiGet(rocksdb::ReadOptions(), database_->handle(family), keys.size(),
                                 slices.data(), found.data(), statuses.data());
        std::vector<std::optional<rocksdb::PinnableSlice>> values(keys.size());
        for (size_t i = 0; i < keys.size(); ++i) {
          if (statuses[i].IsNotFound()) continue;
          VETTORE_RETURN_IF_ERROR(
              FromRocks(statuses[i], StrCat("read from '", RowOf(family).name, "'")));
          values[i] = std::move(found[i]);
        }
        return values;
      });
}

absl::StatusOr<std::vector<std::optional<PointRecord>>> RocksStore::GetPoints(
    ShardKey shard, std::span<const Slot> slots) const {
  std::vector<std::string> keys;
  keys.reserve(slots.size());
  for (const Slot slot : slots) keys.push_back(PointKey(shard, slot));
  VETTORE_ASSIGN_OR_RETURN(const auto values, GetAll(ColumnFamily::kPoints, keys));
  std::vector<std::optional<PointRecord>> points(slots.size());
  for (size_t i = 0; i < slots.size(); ++i) {
    if (!values[i]) continue;
    absl::StatusOr<PointRecord> point = DecodePoint(View(*values[i]));
    if (!point.ok()) return DamagedRecord(ColumnFamily::kPoints, keys[i], point.status());
    points[i] = *std::move(point);
  }
  return points;
}

absl::StatusOr<std::vector<std::vector<float>>> RocksStore::GetVectors(
    ShardKey shard, VectorOrdinal ordinal, std::span<const Slot> slots) const {
  std::vector<std::string> keys;
  keys.reserve(slots.size());
  for (const Slot slot : slots) keys.push_back(VectorKey(shard, ordinal, slot));
  VETTORE_ASSIGN_OR_RETURN(const auto values, GetAll(ColumnFamily::kVectors, keys));
  std::vector<std::vector<float>> vectors(slots.size());
  for (size_t i = 0; i < slots.size(); ++i) {
    if (!values[i]) continue;
    const absl::Status decoded = DecodeVector(View(*values[i]), vectors[i]);
    if (!decoded.ok()) return DamagedRecord(ColumnFamily::kVectors, keys[i], decoded);
  }
  return vectors;
}

absl::Status RocksStore::ForEachPoint(
    ShardKey shard, const std::function<absl::Status(Slot, const PointRecord&)>& visit) const {
  const std::string prefix = ShardPrefix(shard);
  Scan scan(*database_, ColumnFamily::kPoints, Scan::PrefixRange(prefix));
  for (; scan.Valid(); scan.Next()) {
    const absl::StatusOr<Slot> slot = DecodeSlotKey(scan.key(), prefix);
    if (!slot.ok()) return scan.Damaged(slot.status());
    const absl::StatusOr<PointRecord> point = DecodePoint(scan.value());
    if (!point.ok()) return scan.Damaged(point.status());
    VETTORE_RETURN_IF_ERROR(visit(*slot, *point));
  }
  return scan.status();
}

absl::Status RocksStore::ForEachVector(
    ShardKey shard, VectorOrdinal ordinal,
    const std::function<absl::Status(Slot, std::span<const float>)>& visit) const {
  const std::string prefix = VectorPrefix(shard, ordinal);
  Scan scan(*database_, ColumnFamily::kVectors, Scan::PrefixRange(prefix));
  std::vector<float> vector;  // One for all: RocksDB's own bytes need not be aligned for floats.
  for (; scan.Valid(); scan.Next()) {
    const absl::StatusOr<Slot> slot = DecodeSlotKey(scan.key(), prefix);
    if (!slot.ok()) return scan.Damaged(slot.status());
    const absl::Status decoded = DecodeVector(scan.value(), vector);
    if (!decoded.ok()) return scan.Damaged(decoded);
    VETTORE_RETURN_IF_ERROR(visit(*slot, vector));
  }
  return scan.status();
}

absl::Status RocksStore::ForEachProducer(
    ShardKey shard,
    const std::function<absl::Status(std::string_view, const ProducerRecord&)>& visit) const {
  const std::string prefix = ShardPrefix(shard);
  Scan scan(*database_, ColumnFamily::kProducers, Scan::PrefixRange(prefix));
  for (; scan.Valid(); scan.Next()) {
    const absl::StatusOr<ProducerRecord> record = DecodeProducer(scan.value());
    if (!record.ok()) return scan.Damaged(record.status());
    VETTORE_RETURN_IF_ERROR(visit(scan.key().substr(prefix.size()), *record));
  }
  return scan.status();
}

absl::Status RocksStore::ForEachId(ShardKey shard, const PointId* from,
                                   const std::function<bool(const PointId&, Slot)>& visit) const {
  const std::string prefix = ShardPrefix(shard);
  Scan::Range range = Scan::PrefixRange(prefix);
  if (from != nullptr) range.lower = IdKey(shard, *from);
  Scan scan(*database_, ColumnFamily::kIds, std::move(range));
  for (; scan.Valid(); scan.Next()) {
    const absl::StatusOr<PointId> id = DecodeIdKey(scan.key(), prefix);
    if (!id.ok()) return scan.Damaged(id.status());
    const absl::StatusOr<Slot> slot = DecodeSlot(scan.value());
    if (!slot.ok()) return scan.Damaged(slot.status());
    if (!visit(*id, *slot)) return absl::OkStatus();
  }
  return scan.status();
}

absl::StatusOr<std::optional<std::string>> RocksStore::GetMeta(std::string_view key) const {
  return ReadMeta(*database_, key);
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> RocksStore::ListMeta(
    std::string_view prefix) const {
  return ReadAllMeta(*database_, prefix);
}

absl::StatusOr<Position> RocksStore::AppliedPosition(ShardKey shard) const {
  return ReadAppliedPosition(*database_, shard);
}

absl::Status RocksStore::ForEachOps(
    ShardKey shard, Position after,
    const std::function<absl::Status(Position, std::span<const Op>)>& visit) const {
  return VisitOps(*database_, {shard, after}, visit);
}

std::filesystem::path RocksStore::IndexFolderPath(ShardKey shard, VectorOrdinal ordinal) const {
  return directory_.index_folder(shard, ordinal);
}

}  // namespace vettore
