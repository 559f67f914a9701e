// Files from which the indexes of a shard are opened without being built again.
//
//   checkpoint-0, -1   in the index's folder: a ChecksummedWriter file of u64 epoch, u64 seq (the
//                      position that it covers), then what the index wrote; one of them counts
//   checkpoint-damaged one that could not be used, until the next is written
//   checkpoint/C-S/N   metadata, of vector N of shard S of collection C: which one counts, "0" or
//                      "1", a space, and its hash in 16 hexadecimal digits
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/shard.h"
#include "index/vector_index.h"
#include "storage/store.h"
#include "types/collection_config.h"
#include "types/position.h"
#include "types/slot_bitmap.h"

namespace vettore {

struct OpenedIndex {
  std::unique_ptr<VectorIndex> index = nullptr;
  // Whether it comes from a checkpoint, and the slots that were written after it, as the op log has
  // them. Else the index is empty.
  bool is_restored = false;
  SlotBitmap changed = {};
};

// The vector whose index it is.
struct IndexName {
  ShardKey key;
  VectorOrdinal ordinal;
};

// The same, and where its records are.
struct IndexPlace {
  Store& store;
  ShardKey key;
  VectorOrdinal ordinal;
};

// From the checkpoint that counts, or empty when there is none. One that is damaged, or that the
// records contradict, is put aside, and the log says why. memory_bytes: see IndexRunOptions.
absl::StatusOr<OpenedIndex> OpenIndex(const IndexPlace& place, const VectorConfig& config,
                                      size_t memory_bytes);

// Writes a checkpoint of the shard's index and makes it the one that counts. Returns the position
// that it covers, which is durable then; nothing for an index that has no checkpoints. Unavailable:
// not now; ResourceExhausted: the disk has no room. Not twice at once for an index.
absl::StatusOr<std::optional<Position>> WriteIndexCheckpoint(Shard& shard, VectorOrdinal ordinal)
    ABSL_LOCKS_EXCLUDED(shard.commit_gate, shard.state_mutex);

// What is there of a checkpoint.
struct InspectedCheckpoint {
  std::filesystem::path file;
  Position covered;  // {0, 0} when that cannot be read.
  IndexReport report;
};
// Looks through the checkpoint that counts, and through the files that go with it, changing
// nothing; nothing when there is none. Whatever is wrong with them is in the report. An error is
// the store's, or ResourceExhausted.
absl::StatusOr<std::optional<InspectedCheckpoint>> InspectIndexCheckpoint(
    const StoreReader& store, const IndexName& name, const VectorConfig& config);

// Deletes the metadata of a shard that is gone; the files went with its folders.
absl::Status ForgetIndexCheckpoints(Store& store, ShardKey key);

}  // namespace vettore
