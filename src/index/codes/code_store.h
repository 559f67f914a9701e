// What a graph search measures: the codes of the rows, or the rows themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "base/checksummed_file.h"
#include "index/codes/vector_codec.h"
#include "index/rows/chunked_array.h"
#include "index/rows/row_store.h"
#include "index/vector_distance.h"

namespace vettore {

// Distances here are the codec's (see VectorCodec); where vectors are measured they are the
// index's.
//
// Measuring is thread-safe for rows that were encoded before (in the order of happens-before), and
// so is encoding different rows; Grow() is externally synchronised.
class CodeStore {
 public:
  // codec: null to measure the rows themselves. rows, distance: must outlive the store.
  CodeStore(const RowStore& rows, const VectorDistance& distance,
            std::unique_ptr<const VectorCodec> codec);

  // Distances, and the working space to get them. Externally synchronised.
  class Measured {
   public:
    float operator[](size_t i) const { return distances_[i]; }

   private:
    friend class CodeStore;
    void Resize(size_t count);

    std::vector<float> distances_;
    std::vector<const uint8_t*> codes_;
    std::vector<CodeFactors> factors_;
    std::vector<int32_t> products_;
  };

  // A vector as it is measured against rows. Externally synchronised.
  class Query {
   private:
    friend class CodeStore;
    CodedQuery coded_;
    const float* vector_ = nullptr;
    bool is_coded_ = false;  // Else vectors are measured.
  };

  // Null without quantization.
  const VectorCodec* codec() const { return codec_.get(); }
  // How many vectors the quantizer learned from; unlimited when there is nothing to learn.
  size_t sampled() const;

  // Afterwards rows below `rows` have room. ResourceExhausted.
  absl::Status Grow(size_t rows);
  // vector: (dim), borrowed for the life of the query's use.
  void Prepare(const float* vector, Query& query) const;
  // Of a row that was encoded, to be measured against others: by their codes, or, where
  // compares_vectors(), by the vectors, whose distances are the index's.
  void Prepare(Row row, Query& query) const;
  // Whether codes are too coarse to tell the distances of rows from each other.
  bool compares_vectors() const { return codec_ != nullptr && !codec_->compares_codes(); }
  // query: prepared of the row's vector.
  void Encode(Row row, const Query& query);

  // Asks for what measuring the rows will read.
  void Prefetch(std::span<const Row> rows) const;
  // Distance i is that of rows[i].
  void Measure(const Query& query, std::span<const Row> rows, Measured& measured) const;

  // The least that the index's distance of a row is likely to be: its coded distance less `errors`
  // standard deviations of the code's error.
  float LikelyLeast(const Query& query, Row row, float distance, float errors) const;

  // Writes the codes of the rows below `rows`; Load() reads them into a store of the same codec.
  // The rows are encoded or zero. ResourceExhausted, DataLoss, and the statuses of writing.
  absl::Status Save(size_t rows, ChecksummedWriter& out) const;
  absl::Status Load(size_t rows, ChecksummedReader& in);

  // Of one row, besides the row itself.
  size_t row_bytes() const;

 private:
  void MeasureCodes(const Query& query, std::span<const Row> rows, Measured& measured) const;
  void MeasureVectors(const Query& query, std::span<const Row> rows, float* out) const;

  const RowStore& rows_;
  const VectorDistance& distance_;
  const std::unique_ptr<const VectorCodec> codec_;

  ChunkedArray<uint8_t> codes_;
  // Apart, eight to a cache line: there they stay cached.
  ChunkedArray<CodeFactors> factors_;
};

}  // namespace vettore
