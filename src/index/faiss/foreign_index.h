// An index of the FAISS library behind an interface that neither throws nor shows it.
//
// Douze et al. (2024), "The Faiss library". What its kinds can do differs; what one cannot, such as
// passing over what a filter does not admit, is left to whoever calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/checksummed_file.h"
#include "types/collection_config.h"

namespace faiss {
struct Index;
struct SearchParameters;
}  // namespace faiss

namespace vettore {

// Vectors are numbered in the order in which they were added. Trained, filled and sealed by one
// thread, then immutable.
class ForeignIndex {
 public:
  // Without vectors. config: valid. InvalidArgument with the library's reason when it cannot make
  // such an index; ResourceExhausted.
  static absl::StatusOr<std::unique_ptr<ForeignIndex>> Make(const VectorConfig& config,
                                                            const FaissConfig& faiss);
  ~ForeignIndex();
  ForeignIndex(const ForeignIndex&) = delete;
  ForeignIndex& operator=(const ForeignIndex&) = delete;

  // How the library works while it builds.
  struct Run {
    int threads = 1;                     // >= 1
    absl::FunctionRef<bool()> stopping;  // Looked at between the steps of long work.
  };
  // Both: vectors: (count, dim), of a squared length of at most kMostSquaredLength. Cancelled:
  // stopped; Internal: the library's reason; ResourceExhausted.
  absl::Status Train(std::span<const float> vectors, const Run& run);
  absl::Status Add(std::span<const float> vectors, const Run& run);
  // After the last Add: finds out what its searches take.
  absl::Status Seal();

  struct Request {
    const float* query = nullptr;  // (dim), of a squared length of at most kMostSquaredLength.
    size_t k = 1;                  // >= 1
    std::optional<uint32_t> nprobe = {};
    std::optional<uint32_t> ef_search = {};
    // Asked for vectors that are met, where takes_filter(); empty admits all.
    std::optional<absl::FunctionRef<bool(size_t)>> admits = {};
  };
  // The numbers of up to k vectors, the nearest by the library's measure first. On the calling
  // thread; it cannot be stopped. Internal, ResourceExhausted.
  absl::StatusOr<std::vector<uint32_t>> Search(const Request& request) const;
  // Whether Request::admits is heeded. Where it is not, nprobe and ef_search are not either.
  bool takes_filter() const { return takes_filter_; }

  size_t count() const;
  size_t dim() const { return dim_; }
  size_t memory_bytes() const { return memory_bytes_; }  // As a file.

  // Of a sealed one. The statuses of ChecksummedWriter.
  absl::Status Save(ChecksummedWriter& out) const;
  // DataLoss: it is none, or of another config; ResourceExhausted.
  static absl::StatusOr<std::unique_ptr<ForeignIndex>> Load(const VectorConfig& config,
                                                            const FaissConfig& faiss,
                                                            ChecksummedReader& in);

  // Past it the library's arithmetic would overflow, of which its loops are not aware.
  static constexpr float kMostSquaredLength = 1e30F;

 private:
  ForeignIndex(std::unique_ptr<faiss::Index> index, size_t dim);
  std::vector<uint32_t> SearchWith(const Request& request,
                                   const faiss::SearchParameters* parameters) const;
  std::vector<uint32_t> SearchFiltered(const Request& request) const;

  const size_t dim_;
  const std::unique_ptr<faiss::Index> index_;
  faiss::Index* core_;  // Of index_, behind its transforms.
  bool takes_filter_ = false;
  size_t memory_bytes_ = 0;
};

}  // namespace vettore
