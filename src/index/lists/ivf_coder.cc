// Coding residuals.
#include "index/lists/ivf_coder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include "base/status.h"

namespace vettore {
namespace {

constexpr uint64_t kSeed = 20110102;
constexpr uint64_t kRotationSeed = 20240609;
// Rows that are rotated together: the rotation comes into a cache once for all of them.
constexpr size_t kTogether = 64;

// Codes of one bit a value come in whole groups of four, two groups a byte.
size_t SignDim(size_t dim) { return (dim + 3) / 4 * 4; }

// What makes the product of a residual with its own code right. signs: its code's, of 1/2.
float FactorOf(std::span<const float> residual, std::span<const float> signs) {
  double norm = 0;
  double product = 0;
  for (size_t i = 0; i < residual.size(); ++i) {
    norm += static_cast<double>(residual[i]) * residual[i];
    product += static_cast<double>(residual[i]) * signs[i];
  }
  const auto factor = static_cast<float>(norm / product);
  return std::isfinite(factor) ? factor : 0;
}

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

IvfCoder IvfCoder::OfSigns(const VectorConfig& config) {
  IvfCoder coder(config.metric, config.dimension);
  coder.random_rotation_.emplace(config.dimension, kRotationSeed);
  coder.quantizer_ = ProductQuantizer::OfSigns(SignDim(config.dimension));
  return coder;
}

absl::StatusOr<IvfCoder> IvfCoder::Train(const VectorConfig& config, const IvfConfig& ivf,
                                         std::span<const float> residuals, SharedLoop& loop) {
  if (ivf.encoding == IvfEncoding::kRaBitQ) return OfSigns(config);
  IvfCoder coder(config.metric, config.dimension);
  if (!IsTrained(ivf.encoding)) return coder;
  const ProductQuantizer::Shape shape = ShapeOf(config, ivf);
  if (ivf.opq) {
    VETTORE_ASSIGN_OR_RETURN(RotatedQuantizer trained,
                             TrainRotatedQuantizer(shape, residuals, kSeed, loop));
    coder.learned_rotation_ = std::move(trained.rotation);
    coder.quantizer_ = std::move(trained.quantizer);
    return coder;
  }
  VETTORE_ASSIGN_OR_RETURN(coder.quantizer_,
                           ProductQuantizer::Train(shape, residuals, kSeed, loop));
  return coder;
}

absl::Status IvfCoder::Save(ChecksummedWriter& out) const {
  if (!has_codes() || has_bounds()) return absl::OkStatus();
  if (learned_rotation_.has_value()) {
    VETTORE_RETURN_IF_ERROR(learned_rotation_->Save(out));
  }
  return quantizer_->Save(out);
}

absl::StatusOr<IvfCoder> IvfCoder::Load(const VectorConfig& config, const IvfConfig& ivf,
                                        ChecksummedReader& in) {
  if (ivf.encoding == IvfEncoding::kRaBitQ) return OfSigns(config);
  IvfCoder coder(config.metric, config.dimension);
  if (!IsTrained(ivf.encoding)) return coder;
  if (ivf.opq) {
    VETTORE_ASSIGN_OR_RETURN(coder.learned_rotation_, LearnedRotation::Load(config.dimension, in));
  }
  VETTORE_ASSIGN_OR_RETURN(coder.quantizer_, ProductQuantizer::Load(ShapeOf(config, ivf), in));
  return coder;
}

void IvfCoder::Rotate(std::vector<float>& values) const {
  if (random_rotation_.has_value()) {
    for (size_t i = 0; i < values.size(); i += width()) random_rotation_->Apply(values.data() + i);
  }
  if (learned_rotation_.has_value()) {
    std::vector<float> rotated(values.size());
    learned_rotation_->Apply(values, rotated.data());
    values = std::move(rotated);
  }
}

void IvfCoder::Encode(std::span<const Placed> rows, CodedRows& out) const {
  for (const Placed& placed : rows) out.rows.push_back(placed.row);
  if (!has_codes()) {
    out.biases.resize(out.rows.size());
    return;
  }
  for (size_t first = 0; first < rows.size(); first += kTogether) {
    EncodeTogether(rows.subspan(first, std::min(kTogether, rows.size() - first)), out);
  }
}

void IvfCoder::EncodeTogether(std::span<const Placed> rows, CodedRows& out) const {
  std::vector<float> residuals(rows.size() * width());
  std::vector<float> centres(rows.size() * width());
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto& [row, vector, centroid] = rows[i];
    for (size_t d = 0; d < dim_; ++d) residuals[i * width() + d] = vector[d] - centroid[d];
    std::copy_n(centroid, dim_, centres.data() + i * width());
  }
  Rotate(residuals);
  Rotate(centres);
  for (size_t i = 0; i < rows.size(); ++i) {
    EncodeRotated(std::span(residuals).subspan(i * width(), width()),
                  std::span(centres).subspan(i * width(), width()), out);
  }
}

void IvfCoder::EncodeRotated(std::span<const float> residual, std::span<const float> centre,
                             CodedRows& out) const {
  const size_t end = out.codes.size();
  out.codes.resize(end + code_bytes());
  quantizer_->Encode(residual.data(), out.codes.data() + end);
  std::vector<float> decoded(residual.size());
  quantizer_->Decode(out.codes.data() + end, decoded.data());
  if (has_bounds()) {
    out.factors.push_back(FactorOf(residual, decoded));
    for (float& value : decoded) value *= out.factors.back();
  }
  double bias = 0;
  for (size_t i = 0; i < residual.size(); ++i) {
    const double c = centre[i];
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
  std::vector<float> rotated(width());
  std::copy_n(query, dim_, rotated.data());
  Rotate(rotated);
  return tables.Prepare(*quantizer_, rotated.data(), weight());
}

// As VectorCodec::ErrorOfCoding, with the angle between a vector and its code as it is after a
// random rotation: the square of its cosine is about 2 / pi (section 3.2), and the more dimensions
// there are, the less it varies (by a fiftieth or so with 128). A row needs no error of its own.
float IvfCoder::ErrorOf(const PqTables& tables, float squared_norm) const {
  constexpr float kSquaredSine = 1 - 2 / std::numbers::pi_v<float>;
  const auto dim = static_cast<float>(dim_);
  const float of_code = kSquaredSine / 4 * dim / std::max(dim - 1, 1.0F);
  const float length = std::max(squared_norm, 0.0F);
  return std::sqrt(weight() * weight() * of_code * length + tables.rounding_variance());
}

}  // namespace vettore
