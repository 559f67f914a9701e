// The one interface of this room: nearest-neighbour search over the slots of a shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "base/checksummed_file.h"
#include "index/index_report.h"
#include "types/collection_config.h"
#include "types/metric.h"
#include "types/slot_bitmap.h"

namespace vettore {

struct Neighbor {
  Slot slot = kNoSlot;
  float distance = 0;  // Smaller is closer; see Metric.
  // Nearest first; equal distances by slot, so that results are a total order.
  friend bool operator<(const Neighbor& a, const Neighbor& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.slot < b.slot;
  }
};

struct IndexSearchOptions {
  size_t k = 10;  // >= 1
  std::optional<uint32_t>
      ef_search;  // Graph kinds: candidates kept; the config's when absent; at least k is used.
  // IVF kinds: lists scanned; the config's when absent.
  std::optional<uint32_t> nprobe;
  bool exact = false;                   // Scan every allowed vector.
  const SlotBitmap* allowed = nullptr;  // Null admits all. Borrowed for the call.
  size_t allowed_count = 0;  // How many live slots `allowed` admits; a hint for planning.
};

struct IndexStats {
  size_t live = 0;        // Vectors that a search can return.
  size_t unindexed = 0;   // Of those, not yet in the graph: scanned exactly by each search.
  uint64_t taken = 0;     // Into the graph, since the index was made or restored.
  size_t tombstones = 0;  // Removed or replaced vectors whose place is not yet reclaimed.
  size_t memory_bytes = 0;
  size_t mapped_bytes = 0;  // Of vectors in a file: the system keeps in memory what is asked for.
  // Of a graph: what its searches measure first. Never kAuto.
  std::optional<Quantization> quantization = std::nullopt;
};

// What a search did, for `explain` and the benchmarks.
struct IndexSearchTrace {
  std::string_view plan;  // "exact scan", "code scan", "graph", "filtered graph", "lists",
                          // "filtered lists", "faiss", "filtered faiss"
  size_t distances = 0;
  size_t hops = 0;  // Of the graph, or lists probed.
};

// An index as it stood at one moment, to be written while it goes on serving and changing; a graph
// takes nothing new until it is written, or the checkpoint is destroyed.
class IndexCheckpoint {
 public:
  virtual ~IndexCheckpoint() = default;
  // The statuses of ChecksummedWriter and of syncing files. Once.
  virtual absl::Status Write(ChecksummedWriter& out) = 0;
};

// A slot that has been put can be found by every search that starts after Put returned: what the
// graph has not taken yet is scanned exactly, and taken in the background. Implementations are
// thread-safe: any number of concurrent searches, puts and removes.
class VectorIndex {
 public:
  virtual ~VectorIndex() = default;

  // Adds the vector of `slot`, or replaces it. vector: (dim), finite; unit length for cosine.
  virtual absl::Status Put(Slot slot, std::span<const float> vector) = 0;
  // Forgets `slot`; nothing happens when it holds no vector. A removed slot is never returned again
  // until it is put anew.
  virtual void Remove(Slot slot) = 0;

  // The up to `k` nearest allowed slots, nearest first; fewer only when fewer than k are allowed
  // and live. query: (dim), finite; unit length for cosine. DeadlineExceeded or Cancelled if
  // `cancel` fires.
  virtual absl::StatusOr<std::vector<Neighbor>> Search(std::span<const float> query,
                                                       const IndexSearchOptions& options,
                                                       const CancelToken& cancel,
                                                       IndexSearchTrace* trace) const = 0;

  // The queries' nearest, one entry a query: what Search() of each alone finds, to the bit, unless
  // the index changes meanwhile; all together they are found sooner. On the calling thread.
  // queries: each as Search() takes it. traces: one a query, or empty. An error is that of a query
  // that failed.
  virtual absl::StatusOr<std::vector<std::vector<Neighbor>>> SearchBatch(
      std::span<const std::span<const float>> queries, const IndexSearchOptions& options,
      const CancelToken& cancel, std::span<IndexSearchTrace> traces) const;

  virtual IndexStats Stats() const = 0;
  // That hold a vector.
  virtual SlotBitmap Slots() const = 0;

  // The index as it stands; the caller sees to it that nothing is put or removed during the call,
  // so that it knows which changes it covers. Must not outlive the index. Null when what it made of
  // its vectors is not worth a file, or has no folder; Unavailable: not now.
  virtual absl::StatusOr<std::unique_ptr<IndexCheckpoint>> BeginCheckpoint() {
    return std::unique_ptr<IndexCheckpoint>();
  }

  // Looks through all that the index keeps of its vectors, and says what is wrong with it; in a
  // sound index, nothing. Searches, puts and removals go on; a graph takes nothing new meanwhile.
  // Unavailable: not now.
  virtual absl::StatusOr<IndexReport> Inspect() = 0;

  // Returns once everything put before the call is in the graph, or when `cancel` fires.
  virtual absl::Status WaitUntilIndexed(const CancelToken& cancel) const = 0;
};

// How an index runs, apart from what it is.
struct IndexRunOptions {
  // Most threads that build in the background; as many as the machine offers when absent. >= 1.
  std::optional<int> build_threads = {};
  // Where an index keeps the vectors themselves, in a file named "vectors", to be opened again; a
  // folder of this index alone. One that searches codes or lists reads them there, others have them
  // in memory too. In memory only when empty: then there are no checkpoints.
  std::filesystem::path folder = {};
  // What a graph's codes and links should fit in: Quantization::kAuto picks coarser codes in its
  // favour. 0: without limit.
  size_t memory_bytes = 0;
};

// Whether an index of this validated config can be made: a library that it names may know better.
// InvalidArgument, ResourceExhausted.
absl::Status CheckVectorIndex(const VectorConfig& config);

// Makes the index of a validated config, empty; what its folder held is lost. Background work runs
// on threads of the index itself and stops in its destructor.
absl::StatusOr<std::unique_ptr<VectorIndex>> MakeVectorIndex(const VectorConfig& config,
                                                             const IndexRunOptions& run = {});

// Makes the index of a checkpoint from what it wrote and from the files of its folder. A slot whose
// vector the folder does not hold any more is missing (see VectorIndex::Slots). DataLoss: the
// checkpoint is damaged, or of another config; NotFound: the folder has no vectors;
// ResourceExhausted.
absl::StatusOr<std::unique_ptr<VectorIndex>> RestoreVectorIndex(const VectorConfig& config,
                                                                const IndexRunOptions& run,
                                                                ChecksummedReader& in);

// Reads a checkpoint and the files of its folder as RestoreVectorIndex() would, changing nothing,
// and names all that is wrong with them, instead of refusing the first. changed: slots that were
// written after it: their vectors may have given way to others. DataLoss: what cannot be read at
// all; NotFound: the folder has no vectors; ResourceExhausted.
absl::StatusOr<IndexReport> InspectCheckpoint(const VectorConfig& config,
                                              const std::filesystem::path& folder,
                                              const SlotBitmap& changed, ChecksummedReader& in);

// Of the kernels that every index uses: "scalar", "avx2" or "avx512".
std::string_view ActiveInstructionSet();

}  // namespace vettore
