// The systems that vettore_bench_peers compares, behind one interface.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/matrix.h"
#include "types/collection_config.h"
#include "types/slot_bitmap.h"

namespace vettore::bench {

// Rows of the base that a search may return, in the form that each system takes. Immutable.
struct RowFilter {
  double share = 1;
  SlotBitmap bitmap;
  std::vector<uint8_t> bytes;  // By row; 1 where the row is admitted.
  size_t count = 0;
};
// Admits each row with probability `share` (0 to 1), by a fixed seed; at least one row.
RowFilter RandomFilter(double share, size_t rows);

// As many queries as there are places for their rows.
struct SystemQuestion {
  const Matrix<float>& queries;
  size_t first = 0;
  size_t k = 10;
  uint32_t ef = 10;
  const RowFilter* filter = nullptr;  // Null admits all.
};

// Externally synchronised.
class PeerSystem {
 public:
  virtual ~PeerSystem() = default;
  virtual std::string name() const = 0;
  // Adds all rows on `threads` threads, and returns when they are searchable at full speed.
  virtual absl::Status Build(const Matrix<float>& base, int threads) = 0;
  // Appends up to k rows to the place of each query, nearest first. Several queries are asked as
  // the system asks a batch best on one thread.
  virtual absl::Status Search(const SystemQuestion& question,
                              std::span<std::vector<int32_t>> rows) = 0;
  virtual size_t memory_bytes() const = 0;
  virtual bool has_filter() const = 0;
};

// config: of the vectors to come.
// vectors_folder: where the vectors themselves are kept, mapped; in memory when empty.
std::unique_ptr<PeerSystem> MakeVettoreSystem(const VectorConfig& config,
                                              const std::string& vectors_folder = {});
// In hnswlib_system.cc, which only vettore_bench_peers has.
std::unique_ptr<PeerSystem> MakeHnswlibSystem(const VectorConfig& config);

}  // namespace vettore::bench
