// Coding residuals.
#include "index/lists/ivf_coder.h"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "base/status.h"

namespace vettore {
namespace {

constexpr uint64_t kSeed = 20110102;

ProductQuantizer::Shape ShapeOf(const VectorConfig& config, const IvfConfig& ivf) {
  return {.dim = config.dimension,
          .m = ivf.pq_m > 0 ? ivf.pq_m : ChooseSubspaces(ivf.encoding, config.dimension),
          .ksub = ivf.encoding == IvfEncoding::kPq4 ? size_t{16} : size_t{256}};
}

}  // namespace

size_t ChooseSubspaces(IvfEncoding encoding, size_t dim) {
  size_t width = encoding == IvfEncoding::kPq4 ? 2 : 8;
  while (dim % width != 0) --width;
  return dim / width;
}

absl::StatusOr<IvfCoder> IvfCoder::Train(const VectorConfig& config, const IvfConfig& ivf,
                                         std::span<const float> residuals, SharedLoop& loop) {
  IvfCoder coder(config.metric, config.dimension);
  if (ivf.encoding == IvfEncoding::kFlat) return coder;
  VETTORE_ASSIGN_OR_RETURN(coder.quantizer_,
                           ProductQuantizer::Train(ShapeOf(config, ivf), residuals, kSeed, loop));
  return coder;
}

absl::Status IvfCoder::Save(ChecksummedWriter& out) const {
  return has_codes() ? quantizer_->Save(out) : absl::OkStatus();
}

absl::StatusOr<IvfCoder> IvfCoder::Load(const VectorConfig& config, const IvfConfig& ivf,
                                        ChecksummedReader& in) {
  IvfCoder coder(config.metric, config.dimension);
  if (ivf.encoding == IvfEncoding::kFlat) return coder;
  VETTORE_ASSIGN_OR_RETURN(coder.quantizer_, ProductQuantizer::Load(ShapeOf(config, ivf), in));
  return coder;
}

void IvfCoder::Encode(Row row, const float* vector, const float* centroid, CodedRows& out) const {
  out.rows.push_back(row);
  if (!has_codes()) {
    out.biases.push_back(0);
    return;
  }
  std::vector<float> residual(dim_);
  for (size_t i = 0; i < dim_; ++i) residual[i] = vector[i] - centroid[i];
  const size_t end = out.codes.size();
  out.codes.resize(end + code_bytes());
  quantizer_->Encode(residual.data(), out.codes.data() + end);
  std::vector<float> decoded(dim_);
  quantizer_->Decode(out.codes.data() + end, decoded.data());
  double bias = 0;
  for (size_t i = 0; i < dim_; ++i) {
    const double c = centroid[i];
    const double r = residual[i];
    switch (metric_) {
      case Metric::kL2:
        bias += r * r + 2 * c * decoded[i];
        break;
      case Metric::kCosine:
        bias -= c * (r - decoded[i]);
        break;
      case Metric::kInnerProduct:
        break;
    }
  }
  // What overflowed is always a candidate.
  const auto stored = static_cast<float>(bias);
  out.biases.push_back(std::isfinite(stored) ? stored : std::numeric_limits<float>::lowest());
}

bool IvfCoder::Prepare(const float* query, PqTables& tables) const {
  return tables.Prepare(*quantizer_, query, metric_ == Metric::kL2 ? -2.0F : -1.0F);
}

}  // namespace vettore
