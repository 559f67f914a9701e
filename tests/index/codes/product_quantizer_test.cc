// FAISS judges our product quantizer; plain sums judge its tables.
#include "index/codes/product_quantizer.h"

#include <faiss/impl/ProductQuantizer.h>
#include <gtest/gtest.h>

#include "index/test_data.h"

namespace vettore {
namespace {

constexpr size_t kDim = 32;

std::vector<float> Sample(size_t count, uint32_t seed) {
  std::vector<float> sample;
  for (const Vector& vector : VectorSource(kDim, Metric::kL2, seed).Take(count)) {
    sample.insert(sample.end(), vector.begin(), vector.end());
  }
  return sample;
}

ProductQuantizer MustTrain(const ProductQuantizer::Shape& shape, const std::vector<float>& sample) {
  SharedLoop loop;
  auto trained = ProductQuantizer::Train(shape, sample, 1, loop);
  EXPECT_TRUE(trained.ok()) << trained.status();
  return *std::move(trained);
}

Vector Decoded(const ProductQuantizer& quantizer, const float* vector) {
  std::vector<uint8_t> code(quantizer.code_bytes());
  quantizer.Encode(vector, code.data());
  Vector decoded(quantizer.shape().dim);
  quantizer.Decode(code.data(), decoded.data());
  return decoded;
}

class ProductQuantizerTest : public testing::TestWithParam<ProductQuantizer::Shape> {};

TEST_P(ProductQuantizerTest, ReconstructsAboutAsWellAsFaiss) {
  const std::vector<float> sample = Sample(2000, 1);
  const std::vector<float> others = Sample(1000, 2);
  const ProductQuantizer ours = MustTrain(GetParam(), sample);
  const size_t bits = GetParam().ksub == 16 ? 4 : 8;
  faiss::ProductQuantizer oracle(kDim, GetParam().m, bits);
  oracle.train(2000, sample.data());
  double our_error = 0;
  double faiss_error = 0;
  for (size_t i = 0; i < 1000; ++i) {
    const float* const vector = others.data() + i * kDim;
    const Vector original(vector, vector + kDim);
    our_error += TrueDistance(Metric::kL2, original, Decoded(ours, vector));
    std::vector<uint8_t> code(oracle.code_size);
    oracle.compute_code(vector, code.data());
    Vector decoded(kDim);
    oracle.decode(code.data(), decoded.data());
    faiss_error += TrueDistance(Metric::kL2, original, decoded);
  }
  EXPECT_GT(our_error, 0);
  EXPECT_LT(our_error, 1.05 * faiss_error);
}

TEST_P(ProductQuantizerTest, ACodeIsItsOwnReconstruction) {
  const std::vector<float> sample = Sample(2000, 3);
  const ProductQuantizer quantizer = MustTrain(GetParam(), sample);
  for (size_t i = 0; i < 50; ++i) {
    const Vector once = Decoded(quantizer, sample.data() + i * kDim);
    EXPECT_EQ(Decoded(quantizer, once.data()), once);
  }
}

// An estimate is offset + bias + factor * <query, decoded>, off by the rounding of the tables.
TEST_P(ProductQuantizerTest, TheTablesEstimateInnerProductsWithCodes) {
  const std::vector<float> sample = Sample(3000, 4);
  const ProductQuantizer quantizer = MustTrain(GetParam(), sample);
  constexpr size_t kRows = simd::kPqBlockRows;
  std::vector<uint8_t> block(quantizer.code_bytes() * kRows);
  std::vector<float> biases(kRows);
  std::vector<Vector> decoded;
  for (size_t i = 0; i < kRows; ++i) {
    const float* const vector = sample.data() + i * kDim;
    std::vector<uint8_t> code(quantizer.code_bytes());
    quantizer.Encode(vector, code.data());
    for (size_t j = 0; j < code.size(); ++j) block[j * kRows + i] = code[j];
    decoded.push_back(Decoded(quantizer, vector));
    biases[i] = static_cast<float>(i);
  }
  for (const Vector& query : VectorSource(kDim, Metric::kL2, 5).Take(20)) {
    PqTables tables;
    ASSERT_TRUE(tables.Prepare(quantizer, query.data(), -2));
    float estimates[kRows];
    const uint32_t mask = tables.Scan({block.data(), biases.data()}, {100.0F, 1e30F}, estimates);
    EXPECT_EQ(mask, ~uint32_t{0});
    double magnitude = 0;
    for (const float entry : query) magnitude += std::abs(entry);
    for (size_t i = 0; i < kRows; ++i) {
      const double wanted = 100.0 + static_cast<double>(i) +
                            2 * TrueDistance(Metric::kInnerProduct, query, decoded[i]);
      const double rounding = tables.unit() * static_cast<double>(GetParam().m) / 2;
      EXPECT_NEAR(estimates[i], wanted, rounding + 1e-4 * magnitude);
      EXPECT_LT(rounding, 4 * magnitude);
    }
  }
}

TEST_P(ProductQuantizerTest, AQueryThatOverflowsHasNoTables) {
  const ProductQuantizer quantizer = MustTrain(GetParam(), Sample(500, 6));
  PqTables tables;
  EXPECT_FALSE(tables.Prepare(quantizer, Vector(kDim, 3e38F).data(), -2));
  EXPECT_TRUE(tables.Prepare(quantizer, Vector(kDim, 0.0F).data(), -2));
}

INSTANTIATE_TEST_SUITE_P(
    EachShape, ProductQuantizerTest,
    testing::Values(ProductQuantizer::Shape{kDim, 16, 16}, ProductQuantizer::Shape{kDim, 1, 16},
                    ProductQuantizer::Shape{kDim, 32, 16}, ProductQuantizer::Shape{kDim, 4, 256},
                    ProductQuantizer::Shape{kDim, 8, 256}),
    [](const testing::TestParamInfo<ProductQuantizer::Shape>& row) {
      return "m" + std::to_string(row.param.m) + "_of_" + std::to_string(row.param.ksub);
    });

TEST(ProductQuantizer, CodesOfSignsDecodeToHalves) {
  const std::vector<float> sample = Sample(50, 8);
  const ProductQuantizer quantizer = ProductQuantizer::OfSigns(kDim);
  EXPECT_EQ(quantizer.code_bytes(), kDim / 8);
  for (size_t i = 0; i < 50; ++i) {
    const Vector decoded = Decoded(quantizer, sample.data() + i * kDim);
    for (size_t d = 0; d < kDim; ++d) {
      EXPECT_EQ(decoded[d], sample[i * kDim + d] > 0 ? 0.5F : -0.5F);
    }
  }
}

TEST(ProductQuantizer, EqualSeedsGiveEqualCodes) {
  const std::vector<float> sample = Sample(1000, 7);
  const ProductQuantizer::Shape shape{kDim, 16, 16};
  const ProductQuantizer a = MustTrain(shape, sample);
  const ProductQuantizer b = MustTrain(shape, sample);
  for (size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(Decoded(a, sample.data() + i * kDim), Decoded(b, sample.data() + i * kDim));
  }
}

TEST(ProductQuantizer, ASampleOfEqualPointsIsCodedExactly) {
  const std::vector<float> sample(300 * kDim, 0.25F);
  const ProductQuantizer quantizer = MustTrain({kDim, 16, 16}, sample);
  EXPECT_EQ(Decoded(quantizer, sample.data()), Vector(kDim, 0.25F));
}

}  // namespace
}  // namespace vettore
