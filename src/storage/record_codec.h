// Keys and values of every record, as the column family table words them: big-endian keys,
// versioned values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/store.h"
#include "storage/uuid.h"

namespace vettore {

// How far the store is: which commit was the last. In every WriteBatch, so that what is recovered
// says by itself how far it reaches.
struct CommitRecord {
  Uuid store;
  uint64_t number = 0;
  friend bool operator==(const CommitRecord&, const CommitRecord&) = default;
};

// How far a shard is.
struct ShardRecord {
  Position applied;
  Position trimmed;         // Op-log records up to here are gone; {0, 0}: none is.
  uint64_t op_records = 0;  // Kept past `trimmed`, at most.
  friend bool operator==(const ShardRecord&, const ShardRecord&) = default;
};

// --- Keys ---
inline constexpr std::string_view kCommitKey = "commit";
std::string ShardPrefix(ShardKey shard);
std::string PointKey(ShardKey shard, Slot slot);
std::string IdKey(ShardKey shard, const PointId& id);
std::string VectorPrefix(ShardKey shard, VectorOrdinal ordinal);
std::string VectorKey(ShardKey shard, VectorOrdinal ordinal, Slot slot);
std::string ProducerKey(ShardKey shard, std::string_view producer);
std::string OpsKey(ShardKey shard, Position position);
// The first key after all that start with `prefix`; empty when there is none (every byte is 0xFF).
std::string PrefixEnd(std::string_view prefix);

// The last part of a key whose first part is known. DataLoss when it is not of the right size.
absl::StatusOr<Slot> DecodeSlotKey(std::string_view key, std::string_view prefix);
absl::StatusOr<PointId> DecodeIdKey(std::string_view key, std::string_view prefix);
absl::StatusOr<Position> DecodeOpsKey(std::string_view key, std::string_view prefix);

// --- Values. Decoding anything but what was encoded is DataLoss that says what was expected where.
// ---
std::string EncodeCommit(const CommitRecord& record);
absl::StatusOr<CommitRecord> DecodeCommit(std::string_view value);
std::string EncodeMeta(std::string_view value);
absl::StatusOr<std::string> DecodeMeta(std::string_view value);
std::string EncodeShard(const ShardRecord& record);
absl::StatusOr<ShardRecord> DecodeShard(std::string_view value);
std::string EncodePoint(const PointRecord& record);
absl::StatusOr<PointRecord> DecodePoint(std::string_view value);
std::string EncodeSlot(Slot slot);
absl::StatusOr<Slot> DecodeSlot(std::string_view value);
std::string EncodeProducer(const ProducerRecord& record);
absl::StatusOr<ProducerRecord> DecodeProducer(std::string_view value);
std::string EncodeOps(std::span<const Op> ops);
absl::StatusOr<std::vector<Op>> DecodeOps(std::string_view value);

// The bytes before the values of a vector; the values follow as they lie in memory (little-endian
// f32).
inline constexpr std::string_view kVectorHeader{"\x01\x01\x00\x00", 4};
// Replaces `out` with the values.
absl::Status DecodeVector(std::string_view value, std::vector<float>& out);

}  // namespace vettore
