// The inverted lists of an IVF index: immutable, sharing what a change leaves as it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/checksummed_file.h"
#include "index/lists/kmeans.h"
#include "index/rows/row_store.h"

namespace vettore {

// Rows on their way into lists. codes: (rows, code_bytes).
struct CodedRows {
  explicit CodedRows(size_t bytes) : code_bytes(bytes) {}

  size_t code_bytes;
  std::vector<Row> rows;
  std::vector<float> biases;  // Of each row's estimated distance; see IvfCoder.
  std::vector<uint8_t> codes;

  void Append(const CodedRows& other, size_t i);
  void Reserve(size_t count);
};

// So many rows stand together, with byte i of all their codes side by side: what the scanning
// kernels read. Bytes of a block: rows (32 x 4), biases (32 x 4), codes (code_bytes x 32). Places
// past the end of a list hold kNoRow, an infinite bias and zeros.
class IvfBlock {
 public:
  static constexpr size_t kRows = 32;
  static constexpr size_t kAlignment = 64;
  static constexpr size_t SizeBytes(size_t code_bytes) { return kRows * (8 + code_bytes); }

  explicit IvfBlock(const std::byte* bytes) : bytes_(bytes) {}
  const Row* rows() const { return reinterpret_cast<const Row*>(bytes_); }
  const float* biases() const { return reinterpret_cast<const float*>(bytes_) + kRows; }
  const uint8_t* codes() const {
    return reinterpret_cast<const uint8_t*>(bytes_) + kRows * sizeof(uint64_t);
  }

 private:
  const std::byte* bytes_;
};

// Immutable.
class IvfList {
 public:
  explicit IvfList(size_t code_bytes) : code_bytes_(code_bytes) {}
  // The rows `which` of `coded`, in one allocation. coded.code_bytes fits.
  IvfList(const CodedRows& coded, std::span<const uint32_t> which);

  // Another list with these rows behind its own: it shares the full blocks and copies the last.
  std::shared_ptr<const IvfList> With(const CodedRows& coded,
                                      std::span<const uint32_t> which) const;

  size_t size() const { return size_; }
  size_t block_count() const { return blocks_.size(); }
  size_t block_bytes() const { return IvfBlock::SizeBytes(code_bytes_); }
  IvfBlock block(size_t i) const { return IvfBlock(blocks_[i].get()); }
  Row row(size_t i) const { return block(i / IvfBlock::kRows).rows()[i % IvfBlock::kRows]; }
  // Row i behind those of `out`, code and all.
  void CopyTo(CodedRows& out, size_t i) const;

  // Writes the blocks; Load() reads those of so many rows, all of them below `end`. DataLoss, and
  // the statuses of writing.
  absl::Status Save(ChecksummedWriter& out) const;
  struct Extent {
    size_t rows = 0;
    size_t code_bytes = 0;
  };
  static absl::StatusOr<std::shared_ptr<const IvfList>> Load(const Extent& extent, Row end,
                                                             ChecksummedReader& in);

  size_t memory_bytes() const {
    return sizeof(*this) + blocks_.size() * (sizeof(blocks_[0]) + IvfBlock::SizeBytes(code_bytes_));
  }

 private:
  using Bytes = std::shared_ptr<const std::byte>;

  // Puts `count` blocks, one behind the other, behind its own.
  void AddBlocks(const std::shared_ptr<std::byte>& bytes, size_t count);
  void Place(const CodedRows& coded, std::span<const uint32_t> which, std::byte* blocks,
             size_t begin) const;

  size_t code_bytes_;
  size_t size_ = 0;
  std::vector<Bytes> blocks_;  // Several may share one allocation.
};

// The lists and their centroids: list i holds what is nearest to centroid i. Immutable.
struct IvfTable {
  std::shared_ptr<const Centroids> centroids;
  std::vector<std::shared_ptr<const IvfList>> lists;

  size_t memory_bytes() const;
};

}  // namespace vettore
