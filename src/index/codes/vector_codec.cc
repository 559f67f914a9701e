// Training, preparing queries, and measuring.
#include "index/codes/vector_codec.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

namespace vettore {
namespace {

constexpr uint64_t kRotationSeed = 2025;

const Coding& CodingOf(Quantization quantization) {
  switch (quantization) {
    case Quantization::kSq8:
      return kByteCoding;
    case Quantization::kSq4:
      return kNibbleCoding;
    case Quantization::kRaBitQ:
      return kBitCoding;
    case Quantization::kAuto:
    case Quantization::kNone:
      break;
  }
  std::abort();  // Who asks has picked one that has codes.
}

size_t RoundUp(size_t value, size_t step) { return (value + step - 1) / step * step; }

size_t CodeBytes(const Coding& coding, size_t dim) {
  constexpr size_t kLineBytes = 64;
  return (dim + coding.line_values - 1) / coding.line_values * kLineBytes;
}

std::vector<float> MeanOf(std::span<const float* const> sample, size_t dim) {
  std::vector<double> sum(dim);
  for (const float* const vector : sample) {
    for (size_t i = 0; i < dim; ++i) sum[i] += vector[i];
  }
  std::vector<float> mean(dim);
  for (size_t i = 0; i < dim && !sample.empty(); ++i) {
    mean[i] = static_cast<float>(sum[i] / static_cast<double>(sample.size()));
    if (!std::isfinite(mean[i])) mean[i] = 0;
  }
  return mean;
}

double InnerProduct(const float* a, const float* b, size_t dim) {
  double sum = 0;
  for (size_t i = 0; i < dim; ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

}  // namespace

VectorCodec::VectorCodec(Quantization quantization, Metric metric, size_t dim, Learned learned)
    : quantization_(quantization),
      metric_(metric),
      is_l2_(metric != Metric::kInnerProduct),
      coding_(CodingOf(quantization)),
      dim_(dim),
      query_dim_(RoundUp(dim, coding_.query_step)),
      code_bytes_(CodeBytes(coding_, dim)),
      kernels_(simd::ActiveCodeKernels()),
      products_(kernels_.*coding_.products),
      product_factor_(coding_.factor),
      learned_(std::move(learned)),
      error_(ErrorOfCoding()) {
  if (coding_.is_rotated) rotation_.emplace(dim, kRotationSeed);
}

VectorCodec::VectorCodec(Quantization quantization, Metric metric, size_t dim,
                         std::span<const float* const> sample)
    : VectorCodec(quantization, metric, dim,
                  {.sampled = sample.size(),
                   .centre = metric != Metric::kInnerProduct ? MeanOf(sample, dim)
                                                             : std::vector<float>(dim)}) {
  if (!coding_.is_error_known) learned_.relative_error = MeasureError(sample);
  error_ = ErrorOfCoding();
}

size_t VectorCodec::RowBytes(Quantization quantization, size_t dim) {
  return CodeBytes(CodingOf(quantization), dim) + sizeof(CodeFactors);
}

// Of the levels -1/2 and 1/2 the error is known, vector by vector. With c the cosine of the angle
// between the code and its vector of length |o|, the inner product with a query that is |p| away
// from the vector's line is off by |o| |p| sqrt((1 / c^2 - 1) / (dim - 1)), one standard deviation
// over all rotations (Gao & Long, 2024, section 3.2); and c is 2 |o| / (scale sqrt(dim)).
VectorCodec::Error VectorCodec::ErrorOfCoding() const {
  if (!coding_.is_error_known) {
    return {.of_squared_norm = learned_.relative_error * learned_.relative_error};
  }
  const auto dim = static_cast<float>(dim_);
  const float others = std::max(dim - 1, 1.0F);
  return {.of_squared_scale = dim / 4 / others, .of_squared_norm = -1 / others};
}

float VectorCodec::Transform(const float* vector, float* out) const {
  const float squared_norm = kernels_.subtract(vector, learned_.centre.data(), dim_, out);
  if (rotation_.has_value()) rotation_->Apply(out);
  return squared_norm;
}

CodeFactors VectorCodec::Encode(const CodedQuery& query, uint8_t* code) const {
  return coding_.encode(query.transformed, query.squared_norm, {code, code_bytes_});
}

void VectorCodec::Prepare(const float* vector, CodedQuery& query) const {
  query.transformed.resize(dim_);
  query.values.assign(query_dim_, 0);
  query.squared_norm = Transform(vector, query.transformed.data());
  query.offset = 0;
  query.scale = 0;
  const auto most = static_cast<float>(coding_.max_query);
  const float largest = kernels_.largest_magnitude(query.transformed.data(), dim_);
  const float inverse = most / largest;
  if (!std::isfinite(inverse) || inverse == 0) return;
  const int32_t sum =
      kernels_.quantize(query.transformed.data(), dim_, inverse, query.values.data());
  query.scale = largest / most / static_cast<float>(product_factor_);
  query.offset = sum * coding_.offset;
}

void VectorCodec::Prepare(const uint8_t* code, const CodeFactors& factors,
                          CodedQuery& query) const {
  query.values.resize(query_dim_);
  query.squared_norm = factors.squared_norm;
  const float unit = coding_.decode({code, code_bytes_}, query.values);
  std::fill(query.values.begin() + static_cast<ptrdiff_t>(dim_), query.values.end(), int8_t{0});
  query.scale = factors.scale * unit / static_cast<float>(product_factor_);
  int32_t sum = 0;
  for (const int8_t value : query.values) sum += value;
  query.offset = sum * coding_.offset;
}

void VectorCodec::Distances(const CodedQuery& query, const Batch& batch, float* out) const {
  products_(query.values.data(), batch.codes, batch.count, query_dim_, batch.products);
  // What overflows to "not a number" counts as infinitely far, so that orders stay total.
  constexpr float kFar = std::numeric_limits<float>::infinity();
  const int32_t factor = product_factor_;
  const int32_t offset = query.offset;
  const float scale = is_l2_ ? 2 * query.scale : query.scale;
  for (size_t i = 0; i < batch.count; ++i) {
    const auto centred = static_cast<float>(batch.products[i] * factor - offset);
    out[i] = scale * batch.factors[i].scale * centred;
  }
  const float norm = query.squared_norm;
  for (size_t i = 0; i < batch.count; ++i) {
    const float distance = is_l2_ ? norm + batch.factors[i].squared_norm - out[i] : -out[i];
    out[i] = distance == distance ? distance : kFar;
  }
}

float VectorCodec::MeasureError(std::span<const float* const> sample) const {
  constexpr size_t kPairs = 256;
  if (sample.size() < 2) return 0;
  const size_t stride = std::max<size_t>(1, sample.size() / kPairs);
  std::vector<uint8_t> code(code_bytes_);
  CodedQuery coded;
  CodedQuery query;
  double squared_sum = 0;
  size_t pairs = 0;
  for (size_t i = 0; i + 1 < sample.size(); i += stride) {
    Prepare(sample[i], coded);
    const CodeFactors factors = Encode(coded, code.data());
    Prepare(sample[i + 1], query);
    const uint8_t* const codes[] = {code.data()};
    int32_t product = 0;
    products_(query.values.data(), codes, 1, query_dim_, &product);
    const double inner = Inner(query, factors, product * product_factor_ - query.offset);
    const double lengths =
        std::sqrt(static_cast<double>(query.squared_norm) * factors.squared_norm);
    const double error =
        (inner - InnerProduct(query.transformed.data(), coded.transformed.data(), dim_)) / lengths;
    if (!std::isfinite(error)) continue;
    squared_sum += error * error;
    ++pairs;
  }
  return pairs == 0 ? 0 : static_cast<float>(std::sqrt(squared_sum / static_cast<double>(pairs)));
}

}  // namespace vettore
