// The inverted lists of an IVF index: immutable, sharing what a change leaves as it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/checksummed_file.h"
#include "index/lists/kmeans.h"
#include "index/lists/list_ranking.h"
#include "index/rows/row_store.h"

namespace vettore {

// Rows on their way into lists. codes: (rows, code_bytes).
struct CodedRows {
  explicit CodedRows(size_t bytes) : code_bytes(bytes) {}

  size_t code_bytes;
  std::vector<Row> rows;
  std::vector<float> biases;   // Of each row's estimated distance; see IvfCoder.
  std::vector<float> factors;  // Of each row's code; none where codes have none.
  std::vector<uint8_t> codes;

  void Append(const CodedRows& other, size_t i);
  void Reserve(size_t count);
};

// What lists hold beside the number of a row: its code, or the vector itself.
struct IvfListShape {
  size_t code_bytes = 0;
  bool has_factors = false;  // Of codes.
  // Where lists that hold vectors take them from; null for lists of codes. Must outlive the lists.
  const RowStore* vectors = nullptr;

  // Of a row's code and its factor.
  size_t coded_bytes() const { return code_bytes + (has_factors ? sizeof(float) : 0); }
  // Of a row in a list.
  size_t row_bytes() const {
    return vectors == nullptr ? coded_bytes() : vectors->vector_width() * sizeof(float);
  }
};

// So many rows stand together. Bytes of a block: rows (32 x 4), biases (32 x 4), and either codes
// (code_bytes x 32), byte i of all of them side by side, which is what the scanning kernels read,
// and their factors (32 x 4), if any; or vectors, one after the other as in the row store, on
// 64-byte boundaries: a scan of a list streams through memory. Places past the end of a list hold
// kNoRow, an infinite bias, and a code of zeros; vectors end with the last one.
class IvfBlock {
 public:
  static constexpr size_t kRows = 32;
  static constexpr size_t kAlignment = 64;
  static constexpr size_t kHeadBytes = kRows * (sizeof(Row) + sizeof(float));

  explicit IvfBlock(const std::byte* bytes) : bytes_(bytes) {}
  const Row* rows() const { return reinterpret_cast<const Row*>(bytes_); }
  const float* biases() const { return reinterpret_cast<const float*>(bytes_) + kRows; }
  const uint8_t* codes() const { return reinterpret_cast<const uint8_t*>(bytes_) + kHeadBytes; }
  const float* factors(const IvfListShape& shape) const {
    if (!shape.has_factors) return nullptr;
    return reinterpret_cast<const float*>(codes() + kRows * shape.code_bytes);
  }
  // (rows, RowStore::vector_width())
  const float* vectors() const { return reinterpret_cast<const float*>(bytes_ + kHeadBytes); }

 private:
  const std::byte* bytes_;
};

// Immutable.
class IvfList {
 public:
  explicit IvfList(const IvfListShape& shape) : shape_(shape) {}
  // The rows `which` of `coded`, in one allocation. coded.code_bytes is the shape's.
  IvfList(const IvfListShape& shape, const CodedRows& coded, std::span<const uint32_t> which);

  // Another list with these rows behind its own: it shares the full blocks and copies the last.
  std::shared_ptr<const IvfList> With(const CodedRows& coded,
                                      std::span<const uint32_t> which) const;

  const IvfListShape& shape() const { return shape_; }
  size_t size() const { return size_; }
  size_t block_count() const { return blocks_.size(); }
  // Of a full one.
  size_t block_bytes() const { return IvfBlock::kHeadBytes + IvfBlock::kRows * shape_.row_bytes(); }
  IvfBlock block(size_t i) const { return IvfBlock(blocks_[i].get()); }
  Row row(size_t i) const { return block(i / IvfBlock::kRows).rows()[i % IvfBlock::kRows]; }
  // Row i behind those of `out`, code and all.
  void CopyTo(CodedRows& out, size_t i) const;

  // Writes the blocks, without their vectors; Load() reads those of so many rows, all of them below
  // `end`. Without an end any rows are taken, for who inspects them, and no vectors. DataLoss, and
  // the statuses of writing.
  absl::Status Save(ChecksummedWriter& out) const;
  struct Extent {
    size_t rows = 0;
    std::optional<Row> end = {};
  };
  static absl::StatusOr<std::shared_ptr<const IvfList>> Load(const IvfListShape& shape,
                                                             const Extent& extent,
                                                             ChecksummedReader& in);

  size_t memory_bytes() const {
    return sizeof(*this) + blocks_.size() * sizeof(blocks_[0]) + BytesFor(size_);
  }

 private:
  using Bytes = std::shared_ptr<const std::byte>;

  // Of the blocks of so many rows.
  size_t BytesFor(size_t rows) const;
  // The blocks of so many rows, one behind the other, all places empty.
  std::shared_ptr<std::byte> Allocate(size_t rows) const;
  // Puts `count` blocks, one behind the other, behind its own.
  void AddBlocks(const std::shared_ptr<std::byte>& bytes, size_t count);
  void Place(const CodedRows& coded, std::span<const uint32_t> which, std::byte* blocks,
             size_t begin) const;
  void CopyVector(Row row, std::byte* block, size_t place) const;

  IvfListShape shape_;
  size_t size_ = 0;
  std::vector<Bytes> blocks_;  // Several may share one allocation.
};

// The lists and their centroids: list i holds what is nearest to centroid i. Immutable.
struct IvfTable {
  void SetCentroids(Centroids values, Metric metric);

  std::shared_ptr<const Centroids> centroids;
  std::shared_ptr<const ListRanking> ranking;
  std::vector<std::shared_ptr<const IvfList>> lists;

  size_t memory_bytes() const;
};

}  // namespace vettore
