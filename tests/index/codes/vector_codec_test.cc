// Distances of codes against those of the vectors, and the rotation.
#include "index/codes/vector_codec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <tuple>

#include "index/codes/code_store.h"
#include "index/test_data.h"

namespace vettore {
namespace {

double Length(const Vector& vector) {
  double sum = 0;
  for (const float value : vector) sum += static_cast<double>(value) * value;
  return std::sqrt(sum);
}

TEST(Rotation, KeepsLengthsAndInnerProducts) {
  for (const size_t dim : {1, 2, 3, 7, 8, 100, 128, 384, 784}) {
    VectorSource source(dim, Metric::kL2, 3);
    Vector a = source.Next();
    Vector b = source.Next();
    const double length = Length(a);
    double inner = 0;
    for (size_t i = 0; i < dim; ++i) inner += static_cast<double>(a[i]) * b[i];
    const Rotation rotation(dim, 7);
    rotation.Apply(a.data());
    rotation.Apply(b.data());
    EXPECT_NEAR(Length(a), length, 1e-4 * length) << dim;
    double rotated = 0;
    for (size_t i = 0; i < dim; ++i) rotated += static_cast<double>(a[i]) * b[i];
    EXPECT_NEAR(rotated, inner, 1e-4 * length * Length(b)) << dim;
  }
}

TEST(Rotation, SpreadsWhatLiesInOneDimension) {
  for (const size_t dim : {100, 128, 384, 784}) {
    for (const size_t at : {size_t{0}, dim / 2, dim - 1}) {
      Vector vector(dim);
      vector[at] = 1;
      Rotation(dim, 7).Apply(vector.data());
      for (const float value : vector) EXPECT_LT(std::abs(value), 0.5F) << dim << " " << at;
    }
  }
}

using CodecCase = std::tuple<Quantization, Metric>;
class VectorCodecTest : public testing::TestWithParam<CodecCase> {
 protected:
  static Quantization quantization() { return std::get<0>(GetParam()); }
  static Metric metric() { return std::get<1>(GetParam()); }
  // Of an inner product, as a share of both lengths: what the levels leave, with a margin of four.
  static double Bound(size_t dim) {
    const double of_values = quantization() == Quantization::kSq8   ? 0.02
                             : quantization() == Quantization::kSq4 ? 0.12
                                                                    : 0.76;
    return 4 * of_values / std::sqrt(static_cast<double>(dim));
  }
  std::unique_ptr<const VectorCodec> Learn(size_t dim,
                                           std::span<const float* const> sample = {}) const {
    return std::make_unique<VectorCodec>(quantization(), metric(), dim, sample);
  }
};

TEST_P(VectorCodecTest, DistancesAreNearThoseOfTheVectors) {
  for (const size_t dim : {7, 32, 100, 384, 784}) {
    VectorSource source(dim, metric(), 5);
    const std::vector<Vector> vectors = source.Take(300);
    std::vector<const float*> sample;
    for (const Vector& vector : vectors) sample.push_back(vector.data());
    RowStore rows(dim);
    const VectorDistance distance(metric(), dim);
    CodeStore codes(rows, distance, Learn(dim, sample));
    ASSERT_TRUE(codes.Grow(vectors.size()).ok());
    std::vector<Row> all;
    CodeStore::Query query;
    for (Slot slot = 0; slot < vectors.size(); ++slot) {
      all.push_back(rows.Put(slot, vectors[slot])->row);
      codes.Prepare(vectors[slot].data(), query);
      codes.Encode(all.back(), query);
    }
    const Vector vector = source.Next();
    CodeStore::Measured measured;
    codes.Prepare(vector.data(), query);
    codes.Measure(query, all, measured);
    size_t below = 0;
    for (const Row row : all) {
      const double wanted = TrueDistance(metric(), vector, vectors[row]);
      const double lengths = Length(vector) * Length(vectors[row]);
      const double got = metric() == Metric::kCosine ? measured[row] / 2 - 1 : measured[row];
      EXPECT_NEAR(got, wanted, 2 * lengths * Bound(dim)) << "dim " << dim << ", row " << row;
      below += codes.LikelyLeast(query, row, measured[row], 2) <= wanted ? 1U : 0U;
    }
    // Two standard deviations below the coded distance: 97.7 % of a normal error.
    EXPECT_GT(below, all.size() * 9 / 10) << dim;
  }
}

TEST_P(VectorCodecTest, ACodedRowIsAQueryToo) {
  constexpr size_t kDim = 200;
  VectorSource source(kDim, metric(), 6);
  RowStore rows(kDim);
  const VectorDistance distance(metric(), kDim);
  CodeStore codes(rows, distance, Learn(kDim));
  ASSERT_TRUE(codes.Grow(50).ok());
  const std::vector<Vector> vectors = source.Take(50);
  std::vector<Row> all;
  CodeStore::Query query;
  for (Slot slot = 0; slot < vectors.size(); ++slot) {
    all.push_back(rows.Put(slot, vectors[slot])->row);
    codes.Prepare(vectors[slot].data(), query);
    codes.Encode(all.back(), query);
  }
  CodeStore::Measured measured;
  for (const Row from : {0U, 17U}) {
    codes.Prepare(from, query);
    codes.Measure(query, all, measured);
    for (const Row row : all) {
      if (row == from) continue;
      const double wanted = TrueDistance(metric(), vectors[from], vectors[row]);
      const double lengths = Length(vectors[from]) * Length(vectors[row]);
      const bool is_halved = metric() == Metric::kCosine && !codes.compares_vectors();
      const double got = is_halved ? measured[row] / 2 - 1 : measured[row];
      EXPECT_NEAR(got, wanted,
                  codes.compares_vectors() ? 1e-4 * lengths : 3 * lengths * Bound(kDim))
          << row;
    }
  }
}

TEST_P(VectorCodecTest, ZerosAndExtremesHaveCodes) {
  constexpr size_t kDim = 4;
  const auto learned = Learn(kDim);
  const VectorCodec& codec = *learned;
  const std::vector<Vector> vectors = {{0, 0, 0, 0},
                                       {1e-42F, 0, 0, 0},
                                       {3e18F, -3e18F, 0, 0},
                                       {3e38F, 3e38F, -3e38F, 0},
                                       {1, 2, 3, 4}};
  CodedQuery coded;
  CodedQuery query;
  for (const Vector& vector : vectors) {
    std::vector<uint8_t> code(codec.code_bytes());
    codec.Prepare(vector.data(), coded);
    const CodeFactors factors = codec.Encode(coded, code.data());
    for (const Vector& from : vectors) {
      codec.Prepare(from.data(), query);
      const uint8_t* const codes[] = {code.data()};
      int32_t product = 0;
      float distance = 0;
      codec.Distances(query, {1, codes, &factors, &product}, &distance);
      EXPECT_FALSE(std::isnan(distance));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, VectorCodecTest,
    testing::Combine(testing::Values(Quantization::kSq8, Quantization::kSq4, Quantization::kRaBitQ),
                     testing::Values(Metric::kL2, Metric::kInnerProduct, Metric::kCosine)),
    [](const testing::TestParamInfo<CodecCase>& row) {
      return std::string(NameOf(std::get<0>(row.param))) + "_" +
             std::string(NameOf(std::get<1>(row.param)));
    });

// Section 3.2 of Gao & Long (2024), with nothing learned from a sample: over pairs of vectors near
// each other and far, the error is nothing on average, and its spread is the one that each code's
// own factors promise.
TEST(OneBitCodes, TheirErrorIsTheOneThatTheyPromise) {
  for (const size_t dim : {100, 384, 768}) {
    VectorSource source(dim, Metric::kInnerProduct, 8);
    const VectorCodec codec(Quantization::kRaBitQ, Metric::kInnerProduct, dim,
                            std::span<const float* const>());
    CodedQuery coded;
    CodedQuery query;
    std::vector<uint8_t> code(codec.code_bytes());
    double sum = 0;
    double squared_sum = 0;
    size_t within_two = 0;
    constexpr size_t kPairs = 3'000;
    for (size_t i = 0; i < kPairs; ++i) {
      const Vector a = source.Next();
      Vector b = source.Next();
      const float share = static_cast<float>(i % 3) / 4;
      for (size_t j = 0; j < dim; ++j) b[j] = share * a[j] + (1 - share) * b[j];
      codec.Prepare(a.data(), coded);
      const CodeFactors factors = codec.Encode(coded, code.data());
      codec.Prepare(b.data(), query);
      const uint8_t* const codes[] = {code.data()};
      int32_t product = 0;
      float distance = 0;
      codec.Distances(query, {1, codes, &factors, &product}, &distance);
      const double error = (distance - TrueDistance(Metric::kInnerProduct, a, b)) /
                           codec.ErrorOf(query, factors, distance);
      sum += error;
      squared_sum += error * error;
      within_two += std::abs(error) <= 2 ? 1U : 0U;
    }
    EXPECT_NEAR(sum / kPairs, 0, 0.15) << dim;
    EXPECT_NEAR(std::sqrt(squared_sum / kPairs), 1, 0.1) << dim;
    EXPECT_NEAR(static_cast<double>(within_two) / kPairs, 0.954, 0.02) << dim;
  }
}

}  // namespace
}  // namespace vettore
