// Coding and tables of product quantization.
#include "index/codes/product_quantizer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/status.h"

namespace vettore {
namespace {

constexpr size_t kPairsPerTwin = 2;
constexpr size_t kTwinBytes = 128;
// Sums in a byte (of every other pair of eight) and in 16 bits; a little less for the rounding of
// the float that divides.
constexpr float kMostInByte = 254.9F;
constexpr float kMostInWord = 65'000.0F;

size_t PaddedPairs(size_t m) { return (m + 3) / 4 * 2; }

}  // namespace

size_t ProductQuantizer::code_bytes() const {
  return uses_nibbles() ? PaddedPairs(shape_.m) : shape_.m;
}

ProductQuantizer ProductQuantizer::OfSigns(size_t dim) {
  constexpr size_t kWidth = 4;
  constexpr size_t kWords = 16;
  ProductQuantizer quantizer({.dim = dim, .m = dim / kWidth, .ksub = kWords});
  for (size_t i = 0; i < quantizer.values_.size(); ++i) {
    const size_t d = i / kWords % kWidth;
    quantizer.values_[i] = (i % kWords >> d & 1) != 0 ? 0.5F : -0.5F;
  }
  std::fill(quantizer.half_norms_.begin(), quantizer.half_norms_.end(), kWidth / 8.0F);
  return quantizer;
}

absl::Status ProductQuantizer::Save(ChecksummedWriter& out) const {
  VETTORE_RETURN_IF_ERROR(out.WriteAll<float>(values_));
  return out.WriteAll<float>(half_norms_);
}

absl::StatusOr<ProductQuantizer> ProductQuantizer::Load(const Shape& shape, ChecksummedReader& in) {
  ProductQuantizer quantizer(shape);
  VETTORE_RETURN_IF_ERROR(in.ReadAll(std::span(quantizer.values_)));
  VETTORE_RETURN_IF_ERROR(in.ReadAll(std::span(quantizer.half_norms_)));
  return quantizer;
}

void ProductQuantizer::Encode(const float* vector, uint8_t* code) const {
  const simd::PqKernels& kernels = simd::ActivePq();
  if (!uses_nibbles()) {
    kernels.encode(book(), vector, code);
    return;
  }
  std::vector<uint8_t> codes(2 * code_bytes());
  kernels.encode(book(), vector, codes.data());
  for (size_t i = 0; i < code_bytes(); ++i) {
    code[i] = static_cast<uint8_t>(codes[2 * i] | codes[2 * i + 1] << 4);
  }
}

void ProductQuantizer::Decode(const uint8_t* code, float* vector) const {
  const size_t width = dsub();
  for (size_t s = 0; s < shape_.m; ++s) {
    const size_t c = uses_nibbles() ? code[s / 2] >> (s % 2 * 4) & 15 : code[s];
    const float* const values = values_.data() + s * width * shape_.ksub + c;
    for (size_t d = 0; d < width; ++d) vector[s * width + d] = values[d * shape_.ksub];
  }
}

bool PqTables::Prepare(const ProductQuantizer& quantizer, const float* query, float factor) {
  const ProductQuantizer::Shape& shape = quantizer.shape();
  m_ = shape.m;
  uses_nibbles_ = shape.ksub == 16;
  std::vector<float> scaled(query, query + shape.dim);
  for (float& entry : scaled) entry *= factor;
  products_.resize(m_ * shape.ksub);
  kernels_.inner_products(quantizer.book(), scaled.data(), products_.data());
  if (uses_nibbles_) return Quantize(m_);
  float sum = 0;
  for (const float product : products_) sum += product;
  return std::isfinite(sum);
}

bool PqTables::Quantize(size_t m) {
  const size_t pairs = PaddedPairs(m);
  std::vector<float> smallest(m);
  std::vector<float> ranges(2 * pairs);
  kernels_.table_ranges(products_.data(), m, smallest.data(), ranges.data());
  // See simd::Pq4Tables: within eight pairs the even ones share a byte, and so do the odd ones.
  float in_word = 0;
  float in_byte = 0;
  base_ = 0;
  for (size_t first = 0; first < pairs; first += 8) {
    float even_and_odd[2] = {0, 0};
    for (size_t pair = first; pair < std::min(pairs, first + 8); ++pair) {
      even_and_odd[pair % 2] += ranges[2 * pair] + ranges[2 * pair + 1];
    }
    in_byte = std::max({in_byte, even_and_odd[0], even_and_odd[1]});
    in_word += even_and_odd[0] + even_and_odd[1];
  }
  for (const float entry : smallest) base_ += entry;
  if (!std::isfinite(in_word) || !std::isfinite(base_)) return false;
  const float units = in_byte > 0 ? std::min(kMostInByte / in_byte, kMostInWord / in_word) : 1.0F;
  if (!std::isfinite(units)) return false;
  scale_ = 1 / units;
  // Rounding down loses half a unit on average.
  base_ += static_cast<float>(m) * scale_ / 2;
  bytes_.assign(pairs / kPairsPerTwin * kTwinBytes, 0);
  for (size_t s = 0; s < m; ++s) {
    const size_t pair = s / 2;
    uint8_t* const twin = bytes_.data() + pair / kPairsPerTwin * kTwinBytes;
    kernels_.quantize_table(products_.data() + s * 16, smallest[s], units,
                            twin + s % 2 * 64 + pair % 2 * 32);
  }
  return true;
}

uint32_t PqTables::Scan(const simd::PqBlock& block, const simd::PqLimit& limit, float* out) const {
  if (!uses_nibbles_) return kernels_.scan8(products_.data(), m_, block, limit, out);
  const simd::Pq4Tables tables{bytes_.data(), bytes_.size() / kTwinBytes * kPairsPerTwin, scale_};
  return kernels_.scan4(tables, block, {limit.offset, limit.limit, limit.products + base_}, out);
}

}  // namespace vettore
