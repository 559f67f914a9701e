// Which class serves which index config: one overload a kind.
#include <memory>
#include <string_view>
#include <utility>
#include <variant>

#include "base/status.h"
#include "index/faiss/faiss_index.h"
#include "index/faiss/foreign_index.h"
#include "index/flat_index.h"
#include "index/graph/hnsw_index.h"
#include "index/lists/ivf_index.h"
#include "index/rows/vector_file.h"
#include "index/vector_index.h"
#include "simd/kernels.h"

namespace vettore {
namespace {

constexpr std::string_view kVectorFile = "vectors";

// Where a search reads the vectors: those that it measures again are few, and stay in their file.
struct ResidenceOf {
  Residence operator()(const FlatConfig&) const { return Residence::kMemory; }
  Residence operator()(const HnswConfig& hnsw) const {
    return hnsw.quantization == Quantization::kNone ? Residence::kMemory : Residence::kMapped;
  }
  Residence operator()(const IvfConfig&) const { return Residence::kMapped; }
  Residence operator()(const FaissConfig&) const { return Residence::kMapped; }
};

struct MakeIndex {
  const VectorConfig& config;
  const IndexRunOptions& run;
  std::unique_ptr<VectorFile> file;

  std::unique_ptr<VectorIndex> operator()(const FlatConfig&) {
    return std::make_unique<FlatIndex>(config, std::move(file));
  }
  std::unique_ptr<VectorIndex> operator()(const HnswConfig& hnsw) {
    return std::make_unique<HnswIndex>(config, hnsw, run, std::move(file));
  }
  std::unique_ptr<VectorIndex> operator()(const IvfConfig& ivf) {
    return std::make_unique<IvfIndex>(config, ivf, run, std::move(file));
  }
  std::unique_ptr<VectorIndex> operator()(const FaissConfig& faiss) {
    return std::make_unique<FaissIndex>(config, faiss, run, std::move(file));
  }
};

struct RestoreIndex {
  MakeIndex make;
  ChecksummedReader& in;

  absl::StatusOr<std::unique_ptr<VectorIndex>> operator()(const FlatConfig&) {
    return Restored(std::make_unique<FlatIndex>(make.config, std::move(make.file)));
  }
  absl::StatusOr<std::unique_ptr<VectorIndex>> operator()(const HnswConfig& hnsw) {
    return Restored(std::make_unique<HnswIndex>(make.config, hnsw, make.run, std::move(make.file)));
  }
  absl::StatusOr<std::unique_ptr<VectorIndex>> operator()(const IvfConfig& ivf) {
    return Restored(std::make_unique<IvfIndex>(make.config, ivf, make.run, std::move(make.file)));
  }
  absl::StatusOr<std::unique_ptr<VectorIndex>> operator()(const FaissConfig& faiss) {
    return Restored(
        std::make_unique<FaissIndex>(make.config, faiss, make.run, std::move(make.file)));
  }

 private:
  template <typename Index>
  absl::StatusOr<std::unique_ptr<VectorIndex>> Restored(std::unique_ptr<Index> index) {
    VETTORE_RETURN_IF_ERROR(index->Restore(in));
    return index;
  }
};

// An index to read a checkpoint into, not to search: it does no background work.
struct InspectIndex {
  MakeIndex make;
  const SlotBitmap& changed;
  ChecksummedReader& in;

  absl::StatusOr<IndexReport> operator()(const FlatConfig&) {
    return FlatIndex(make.config, std::move(make.file)).InspectCheckpoint(changed, in);
  }
  absl::StatusOr<IndexReport> operator()(const HnswConfig& hnsw) {
    return HnswIndex(make.config, hnsw, make.run, std::move(make.file))
        .InspectCheckpoint(changed, in);
  }
  absl::StatusOr<IndexReport> operator()(const IvfConfig& ivf) {
    return IvfIndex(make.config, ivf, make.run, std::move(make.file))
        .InspectCheckpoint(changed, in);
  }
  absl::StatusOr<IndexReport> operator()(const FaissConfig& faiss) {
    return FaissIndex(make.config, faiss, make.run, std::move(make.file))
        .InspectCheckpoint(changed, in);
  }
};

}  // namespace

absl::Status CheckVectorIndex(const VectorConfig& config) {
  const auto* const faiss = std::get_if<FaissConfig>(&config.index);
  return faiss == nullptr ? absl::OkStatus() : ForeignIndex::Make(config, *faiss).status();
}

absl::StatusOr<std::unique_ptr<VectorIndex>> MakeVectorIndex(const VectorConfig& config,
                                                             const IndexRunOptions& run) {
  std::unique_ptr<VectorFile> file;
  if (!run.folder.empty()) {
    VETTORE_ASSIGN_OR_RETURN(file, VectorFile::Create(run.folder / kVectorFile,
                                                      std::visit(ResidenceOf{}, config.index)));
  }
  return std::visit(MakeIndex{config, run, std::move(file)}, config.index);
}

absl::StatusOr<std::unique_ptr<VectorIndex>> RestoreVectorIndex(const VectorConfig& config,
                                                                const IndexRunOptions& run,
                                                                ChecksummedReader& in) {
  VETTORE_ASSIGN_OR_RETURN(
      std::unique_ptr<VectorFile> file,
      VectorFile::Open(run.folder / kVectorFile, std::visit(ResidenceOf{}, config.index)));
  return std::visit(RestoreIndex{{config, run, std::move(file)}, in}, config.index);
}

absl::StatusOr<IndexReport> InspectCheckpoint(const VectorConfig& config,
                                              const std::filesystem::path& folder,
                                              const SlotBitmap& changed, ChecksummedReader& in) {
  VETTORE_ASSIGN_OR_RETURN(std::unique_ptr<VectorFile> file,
                           VectorFile::OpenToRead(folder / kVectorFile));
  const IndexRunOptions run{.folder = folder};
  return std::visit(InspectIndex{{config, run, std::move(file)}, changed, in}, config.index);
}

std::string_view ActiveInstructionSet() { return simd::NameOf(simd::Active().set); }

}  // namespace vettore
