// The one interface of this room: the records of a data directory, in RocksDB, which is the only
// truth.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/shard_key.h"
#include "storage/store_reader.h"
#include "types/durability.h"
#include "types/point_id.h"
#include "types/position.h"
#include "types/slot_bitmap.h"

namespace vettore {

struct PointRecord {
  PointId id{0};
  uint64_t version = 0;  // The seq of the write that last changed the point.
  std::string payload;   // CBOR; empty: no payload.
};

// The last write of a producer, for idempotent retry.
struct ProducerRecord {
  uint64_t seq = 0;     // The producer's own sequence.
  Position position;    // At which that write was acknowledged.
  int64_t unix_ms = 0;  // When, for expiry.
};

// The records that one request writes to one shard, committed whole or not at all. Externally
// synchronised.
class ShardBatch {
 public:
  virtual ~ShardBatch() = default;
  virtual void PutPoint(Slot slot, const PointRecord& point) = 0;
  // vector: the raw values, little endian on disk.
  virtual void PutVector(Slot slot, VectorOrdinal ordinal, std::span<const float> vector) = 0;
  virtual void DeleteVector(Slot slot, VectorOrdinal ordinal) = 0;
  // Deletes the point and its id; vectors are deleted by DeleteVector.
  virtual void DeletePoint(Slot slot, const PointId& id) = 0;
  virtual void PutProducer(std::string_view producer, const ProducerRecord& record) = 0;
  virtual void DeleteProducer(std::string_view producer) = 0;
  // The request's op-log record; also sets the shard's applied position. At most once a batch.
  virtual void AppendOps(Position position, std::span<const Op> ops) = 0;
};

struct StoreOptions {
  std::filesystem::path data_dir;  // Created when absent.
  size_t block_cache_bytes = 256 << 20;
  size_t write_buffer_bytes = 64 << 20;
  // Writes of points are refused while less than this is free on the disk. RocksDB may still have
  // to write out what it holds in memory, so it wants twice write_buffer_bytes; a quarter of it
  // stays open for metadata and drops.
  uint64_t min_free_bytes = 128 << 20;
  // Op-log records kept a shard, up to twice that while an epoch is young; the oldest are trimmed
  // when there are a tenth more. >= 1
  uint64_t max_op_records = 1'000'000;
  // Opens a directory in which acknowledged writes are missing, with what is left, instead of
  // refusing it.
  bool accept_data_loss = false;
};

// A data directory, owned by this process alone while it is open. No call may be in flight when it
// is destroyed. Thread-safe.
class Store : public StoreReader {
 public:
  // FailedPrecondition: another process holds the directory, it was written by a newer format, or
  // it holds files that are not ours; PermissionDenied: it is read-only; ResourceExhausted: the
  // disk is full; DataLoss: it is damaged or acknowledged writes are missing. Each names the
  // directory and what to do.
  static absl::StatusOr<std::unique_ptr<Store>> Open(const StoreOptions& options);

  // --- Metadata: a small compare-and-set map, always durable. ---
  struct MetaChange {
    std::string key;
    std::optional<std::string> expected;  // nullopt: the key must be absent.
    std::optional<std::string> value;     // nullopt: delete.
  };
  // All or nothing. Aborted when an expectation does not hold.
  virtual absl::Status ChangeMeta(std::span<const MetaChange> changes) = 0;

  // --- Writing points ---
  virtual std::unique_ptr<ShardBatch> NewBatch(ShardKey shard) = 0;
  // Commits the batches in order, atomically as a group. FailedPrecondition when a position is not
  // past the shard's applied one, ResourceExhausted while the disk is nearly full (writes resume by
  // themselves when space comes back): nothing was written. After a failed write or fsync
  // (ResourceExhausted or Unavailable) it is not known what is on disk, and every further commit is
  // refused with Unavailable until the directory is opened again.
  virtual absl::Status Commit(std::vector<std::unique_ptr<ShardBatch>> batches,
                              Durability durability) = 0;
  // Deletes all records of the shard, durably, and its index folders; the space of the records
  // comes back in the background. Idempotent.
  virtual absl::Status DropShard(ShardKey shard) = 0;

  // A folder, made when absent, for files that can be made again from the vector's records. It goes
  // with the shard.
  virtual absl::StatusOr<std::filesystem::path> IndexFolder(ShardKey shard,
                                                            VectorOrdinal ordinal) = 0;

  // --- Reading points; slots in ascending order ---
  // One entry a slot; nullopt where there is no point.
  virtual absl::StatusOr<std::vector<std::optional<PointRecord>>> GetPoints(
      ShardKey shard, std::span<const Slot> slots) const = 0;
  // One entry a slot; empty where there is no vector.
  virtual absl::StatusOr<std::vector<std::vector<float>>> GetVectors(
      ShardKey shard, VectorOrdinal ordinal, std::span<const Slot> slots) const = 0;
  // Visits every point, vector or producer of the shard, as they stand at the call, until `visit`
  // fails, whose status is then returned. A span or string_view lives for one visit.
  virtual absl::Status ForEachPoint(
      ShardKey shard, const std::function<absl::Status(Slot, const PointRecord&)>& visit) const = 0;
  virtual absl::Status ForEachVector(
      ShardKey shard, VectorOrdinal ordinal,
      const std::function<absl::Status(Slot, std::span<const float>)>& visit) const = 0;
  virtual absl::Status ForEachProducer(
      ShardKey shard,
      const std::function<absl::Status(std::string_view, const ProducerRecord&)>& visit) const = 0;
  // Visits ids in their order, from `from` (inclusive; null: the first), until `visit` returns
  // false.
  virtual absl::Status ForEachId(ShardKey shard, const PointId* from,
                                 const std::function<bool(const PointId&, Slot)>& visit) const = 0;

  struct Usage {
    uint64_t disk_bytes = 0;    // Of live table, blob and log files.
    uint64_t memory_bytes = 0;  // Of block cache, memtables and table readers.
  };
  virtual Usage GetUsage() const = 0;
};

}  // namespace vettore
