// Training, encoding, and preparing queries.
#include "index/codes/vector_codec.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vettore {
namespace {

constexpr uint64_t kRotationSeed = 2025;
constexpr float kLargestByte = 127;
constexpr int32_t kByteOffset = 128;
// The levels of a nibble are -7.5, -6.5, ... 7.5.
constexpr float kNibbleOffset = 7.5F;
constexpr size_t kNibbleHalf = simd::kNibbleStep / 2;

// Below it 8-bit codes are short enough, and need less measuring again.
constexpr size_t kFewDimensions = 256;

size_t CodeDim(Quantization quantization, size_t dim) {
  const size_t step = quantization == Quantization::kSq4 ? simd::kNibbleStep : simd::kByteStep;
  return (dim + step - 1) / step * step;
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

// The level of a value in steps: 0 to 15.
int NibbleOf(float steps) { return static_cast<int>(std::clamp(steps + 8.0F, 0.0F, 15.5F)); }

// How a vector looks at a step of its levels: what its code's inner product with it, and with
// itself, are.
struct Fit {
  float with_vector = 0;
  float with_itself = 0;
};

Fit FitOf(const float* values, size_t dim, float inverse_step) {
  Fit fit;
  for (size_t i = 0; i < dim; ++i) {
    const float level = static_cast<float>(NibbleOf(values[i] * inverse_step)) - kNibbleOffset;
    fit.with_vector += values[i] * level;
    fit.with_itself += level * level;
  }
  return fit;
}

}  // namespace

Quantization ResolveQuantization(Quantization wanted, size_t dim) {
  if (wanted != Quantization::kAuto) return wanted;
  return dim >= kFewDimensions ? Quantization::kSq4 : Quantization::kSq8;
}

VectorCodec::VectorCodec(Quantization quantization, Metric metric, size_t dim, Learned learned)
    : metric_(metric),
      is_l2_(metric != Metric::kInnerProduct),
      is_nibbles_(quantization == Quantization::kSq4),
      dim_(dim),
      code_dim_(CodeDim(quantization, dim)),
      code_bytes_(is_nibbles_ ? code_dim_ / 2 : code_dim_),
      kernels_(simd::ActiveCodeKernels()),
      products_(is_nibbles_ ? kernels_.nibble_products : kernels_.byte_products),
      product_factor_(is_nibbles_ ? 2 : 1),
      learned_(std::move(learned)) {
  if (is_nibbles_) rotation_.emplace(dim, kRotationSeed);
}

VectorCodec::VectorCodec(Quantization quantization, Metric metric, size_t dim,
                         std::span<const float* const> sample)
    : VectorCodec(quantization, metric, dim,
                  {.sampled = sample.size(),
                   .centre = metric != Metric::kInnerProduct ? MeanOf(sample, dim)
                                                             : std::vector<float>(dim)}) {
  learned_.relative_error = MeasureError(sample);
}

float VectorCodec::Transform(const float* vector, float* out) const {
  const float squared_norm = kernels_.subtract(vector, learned_.centre.data(), dim_, out);
  if (rotation_.has_value()) rotation_->Apply(out);
  return squared_norm;
}

CodeFactors VectorCodec::Encode(const CodedQuery& query, uint8_t* code) const {
  const float* const values = query.transformed.data();
  return is_nibbles_ ? EncodeNibbles(values, query.squared_norm, code)
                     : EncodeBytes(values, query.squared_norm, code);
}

CodeFactors VectorCodec::EncodeBytes(const float* values, float squared_norm, uint8_t* code) const {
  const float largest = kernels_.largest_magnitude(values, dim_);
  const float inverse = kLargestByte / largest;
  std::fill(code, code + code_bytes_, static_cast<uint8_t>(kByteOffset));
  // Of a vector of zeros, or one whose codes overflow, nothing is known but its length.
  if (!std::isfinite(inverse) || inverse == 0) return {0, squared_norm};
  for (size_t i = 0; i < dim_; ++i) {
    code[i] =
        static_cast<uint8_t>(kByteOffset + static_cast<int>(std::lrintf(values[i] * inverse)));
  }
  return {largest / kLargestByte, squared_norm};
}

CodeFactors VectorCodec::EncodeNibbles(const float* values, float squared_norm,
                                       uint8_t* code) const {
  std::fill(code, code + code_bytes_, uint8_t{0});
  const float deviation = std::sqrt(squared_norm / static_cast<float>(dim_));
  if (!std::isfinite(1 / deviation) || deviation == 0) return {0, squared_norm};
  // Around the best step for a normal distribution, a third of the deviation.
  constexpr std::array kSteps = {0.22F, 0.25F, 0.28F, 0.31F, 0.34F, 0.37F, 0.41F, 0.46F};
  float best_cosine = -1;
  float inverse_step = 0;
  float scale = 0;
  for (const float step : kSteps) {
    const float inverse = 1 / (step * deviation);
    const Fit fit = FitOf(values, dim_, inverse);
    const float cosine = fit.with_vector / std::sqrt(fit.with_itself);
    if (cosine > best_cosine) {
      best_cosine = cosine;
      inverse_step = inverse;
      scale = squared_norm / fit.with_vector;
    }
  }
  for (size_t i = 0; i < dim_; ++i) {
    const size_t byte = i / simd::kNibbleStep * kNibbleHalf + i % kNibbleHalf;
    const int shift = i % simd::kNibbleStep < kNibbleHalf ? 0 : 4;
    code[byte] = static_cast<uint8_t>(code[byte] | NibbleOf(values[i] * inverse_step) << shift);
  }
  return {std::isfinite(scale) ? scale : 0, squared_norm};
}

void VectorCodec::Prepare(const float* vector, CodedQuery& query) const {
  query.transformed.resize(dim_);
  query.values.assign(code_dim_, 0);
  query.squared_norm = Transform(vector, query.transformed.data());
  query.offset = 0;
  query.scale = 0;
  const auto most = static_cast<float>(is_nibbles_ ? simd::kMaxNibbleQuery : simd::kMaxByteQuery);
  const float largest = kernels_.largest_magnitude(query.transformed.data(), dim_);
  const float inverse = most / largest;
  if (!std::isfinite(inverse) || inverse == 0) return;
  const int32_t sum =
      kernels_.quantize(query.transformed.data(), dim_, inverse, query.values.data());
  query.scale = largest / most / static_cast<float>(product_factor_);
  query.offset = sum * (is_nibbles_ ? 15 : kByteOffset);
}

void VectorCodec::Prepare(const uint8_t* code, const CodeFactors& factors,
                          CodedQuery& query) const {
  query.values.resize(code_dim_);
  query.squared_norm = factors.squared_norm;
  int32_t sum = 0;
  if (is_nibbles_) {
    for (size_t step = 0; step * kNibbleHalf < code_bytes_; ++step) {
      int8_t* const values = query.values.data() + step * simd::kNibbleStep;
      for (size_t i = 0; i < kNibbleHalf; ++i) {
        const uint8_t byte = code[step * kNibbleHalf + i];
        values[i] = static_cast<int8_t>(2 * (byte & 15) - 15);
        values[i + kNibbleHalf] = static_cast<int8_t>(2 * (byte >> 4) - 15);
      }
    }
    std::fill(query.values.begin() + static_cast<ptrdiff_t>(dim_), query.values.end(), int8_t{0});
    query.scale = factors.scale / 2 / static_cast<float>(product_factor_);
  } else {
    // Halved, to the even neighbour: a query has a bit less.
    for (size_t i = 0; i < code_dim_; ++i) {
      const int value = code[i] - kByteOffset;
      query.values[i] = static_cast<int8_t>((value + (value >> 1 & 1)) >> 1);
    }
    query.scale = factors.scale * 2;
  }
  for (const int8_t value : query.values) sum += value;
  query.offset = sum * (is_nibbles_ ? 15 : kByteOffset);
}

void VectorCodec::Distances(const CodedQuery& query, const Batch& batch, float* out) const {
  products_(query.values.data(), batch.codes, batch.count, code_dim_, batch.products);
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
    products_(query.values.data(), codes, 1, code_dim_, &product);
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
