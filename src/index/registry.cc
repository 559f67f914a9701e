// Which class serves which index config: one overload a kind.
#include <memory>
#include <variant>

#include "index/flat_index.h"
#include "index/hnsw_index.h"
#include "index/ivf_index.h"
#include "index/vector_index.h"
#include "simd/kernels.h"

namespace vettore {
namespace {

struct MakeIndex {
  const VectorConfig& config;
  const IndexRunOptions& run;

  std::unique_ptr<VectorIndex> operator()(const FlatConfig&) const {
    return std::make_unique<FlatIndex>(config);
  }
  std::unique_ptr<VectorIndex> operator()(const HnswConfig& hnsw) const {
    return std::make_unique<HnswIndex>(config, hnsw, run);
  }
  std::unique_ptr<VectorIndex> operator()(const IvfConfig& ivf) const {
    return std::make_unique<IvfIndex>(config, ivf, run);
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<VectorIndex>> MakeVectorIndex(const VectorConfig& config,
                                                             const IndexRunOptions& run) {
  return std::visit(MakeIndex{config, run}, config.index);
}

std::string_view ActiveInstructionSet() { return simd::NameOf(simd::Active().set); }

}  // namespace vettore
