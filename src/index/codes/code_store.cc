// Encoding rows, and measuring several at once.
#include "index/codes/code_store.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/status.h"

namespace vettore {
namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kMostLinesFetched = 12;
constexpr int kSecondLevel = 2;  // Of __builtin_prefetch: prefetcht1 on x86.

}  // namespace

CodeStore::CodeStore(const RowStore& rows, const VectorDistance& distance,
                     std::unique_ptr<const VectorCodec> codec)
    : rows_(rows),
      distance_(distance),
      codec_(std::move(codec)),
      codes_(codec_ == nullptr ? kCacheLine : codec_->code_bytes()),
      factors_(1) {}

size_t CodeStore::sampled() const {
  return codec_ == nullptr ? std::numeric_limits<size_t>::max() : codec_->learned().sampled;
}

size_t CodeStore::row_bytes() const {
  return codec_ == nullptr ? 0 : codec_->code_bytes() + sizeof(CodeFactors);
}

absl::Status CodeStore::Grow(size_t rows) {
  if (codec_ == nullptr) return absl::OkStatus();
  VETTORE_RETURN_IF_ERROR(codes_.Grow(rows));
  return factors_.Grow(rows);
}

absl::Status CodeStore::Save(size_t rows, ChecksummedWriter& out) const {
  if (codec_ == nullptr) return absl::OkStatus();
  VETTORE_RETURN_IF_ERROR(codes_.ForEachPiece(
      rows, [&](std::span<const uint8_t> codes) { return out.WriteAll(codes); }));
  return factors_.ForEachPiece(
      rows, [&](std::span<const CodeFactors> factors) { return out.WriteAll(factors); });
}

absl::Status CodeStore::Load(size_t rows, ChecksummedReader& in) {
  if (codec_ == nullptr) return absl::OkStatus();
  VETTORE_RETURN_IF_ERROR(Grow(rows));
  VETTORE_RETURN_IF_ERROR(
      codes_.ForEachPiece(rows, [&](std::span<uint8_t> codes) { return in.ReadAll(codes); }));
  return factors_.ForEachPiece(rows,
                               [&](std::span<CodeFactors> factors) { return in.ReadAll(factors); });
}

void CodeStore::Encode(Row row, const Query& query) {
  if (codec_ == nullptr) return;
  *factors_.row(row) = codec_->Encode(query.coded_, codes_.row(row));
}

void CodeStore::Prepare(const float* vector, Query& query) const {
  query.vector_ = vector;
  query.is_coded_ = codec_ != nullptr;
  if (query.is_coded_) codec_->Prepare(vector, query.coded_);
}

void CodeStore::Prepare(Row row, Query& query) const {
  query.vector_ = rows_.vector(row);
  query.is_coded_ = codec_ != nullptr && codec_->compares_codes();
  if (query.is_coded_) codec_->Prepare(codes_.row(row), *factors_.row(row), query.coded_);
}

void CodeStore::Measured::Resize(size_t count) {
  if (distances_.size() >= count) return;
  distances_.resize(count);
  codes_.resize(count);
  factors_.resize(count);
  products_.resize(count);
}

void CodeStore::Prefetch(std::span<const Row> rows) const {
  if (codec_ == nullptr) {
    for (const Row row : rows) rows_.Prefetch(row);
    return;
  }
  const auto codes = codes_.view();
  const auto factors = factors_.view();
  // Into the second level of the cache: of the dozens of lines that a step asks for, the first has
  // room for fewer on their way, and would let the others wait. Of a long code the hardware follows
  // what comes after its beginning. In this function itself: g++ takes a function that only
  // prefetches for one without effect, and drops calls of it.
  const size_t lines = std::min(codes_.width() / kCacheLine, kMostLinesFetched);
  for (const Row row : rows) {
    const uint8_t* const code = codes.row(row);
    for (size_t i = 0; i < lines; ++i) __builtin_prefetch(code + i * kCacheLine, 0, kSecondLevel);
    __builtin_prefetch(factors.row(row));
  }
}

void CodeStore::Measure(const Query& query, std::span<const Row> rows, Measured& measured) const {
  measured.Resize(rows.size());
  if (query.is_coded_) {
    MeasureCodes(query, rows, measured);
  } else {
    MeasureVectors(query, rows, measured.distances_.data());
  }
}

void CodeStore::MeasureCodes(const Query& query, std::span<const Row> rows,
                             Measured& measured) const {
  const auto codes = codes_.view();
  const auto factors = factors_.view();
  for (size_t i = 0; i < rows.size(); ++i) {
    measured.codes_[i] = codes.row(rows[i]);
    measured.factors_[i] = *factors.row(rows[i]);
  }
  codec_->Distances(query.coded_,
                    {.count = rows.size(),
                     .codes = measured.codes_.data(),
                     .factors = measured.factors_.data(),
                     .products = measured.products_.data()},
                    measured.distances_.data());
}

void CodeStore::MeasureVectors(const Query& query, std::span<const Row> rows, float* out) const {
  size_t i = 0;
  for (; i + 4 <= rows.size(); i += 4) {
    const float* vectors[4];
    for (size_t j = 0; j < 4; ++j) vectors[j] = rows_.vector(rows[i + j]);
    distance_.To4(query.vector_, vectors, out + i);
  }
  for (; i < rows.size(); ++i) out[i] = distance_(query.vector_, rows_.vector(rows[i]));
}

float CodeStore::LikelyLeast(const Query& query, Row row, float distance, float errors) const {
  if (codec_ == nullptr) return distance;
  return codec_->MetricDistance(distance) -
         errors * codec_->ErrorOf(query.coded_, *factors_.row(row), distance);
}

}  // namespace vettore
