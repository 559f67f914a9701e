// What a learned rotation keeps, and what it gains.
#include "index/codes/learned_rotation.h"

#include <gtest/gtest.h>

#include <random>

#include "index/test_data.h"

namespace vettore {
namespace {

constexpr size_t kDim = 32;
constexpr size_t kCount = 3'000;

// Few of the directions hold most of the variance, and none of them is a dimension.
std::vector<float> CorrelatedSample(uint32_t seed) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> mixing(kDim * kDim);
  for (size_t i = 0; i < mixing.size(); ++i) {
    mixing[i] = normal(random) / static_cast<float>(1 + i / kDim);
  }
  random.seed(seed);
  std::vector<float> sample(kCount * kDim);
  for (size_t i = 0; i < kCount; ++i) {
    for (size_t j = 0; j < kDim; ++j) {
      const float value = normal(random);
      for (size_t d = 0; d < kDim; ++d) sample[i * kDim + d] += value * mixing[j * kDim + d];
    }
  }
  return sample;
}

RotatedQuantizer MustTrain(const ProductQuantizer::Shape& shape, std::span<const float> sample) {
  SharedLoop loop;
  auto trained = TrainRotatedQuantizer(shape, sample, 1, loop);
  EXPECT_TRUE(trained.ok()) << trained.status();
  return *std::move(trained);
}

// The mean squared distance of vectors from what their codes stand for.
double ErrorOf(const ProductQuantizer& quantizer, std::span<const float> vectors) {
  double error = 0;
  std::vector<uint8_t> code(quantizer.code_bytes());
  std::vector<float> decoded(kDim);
  for (size_t i = 0; i < vectors.size() / kDim; ++i) {
    quantizer.Encode(vectors.data() + i * kDim, code.data());
    quantizer.Decode(code.data(), decoded.data());
    for (size_t d = 0; d < kDim; ++d) {
      const double off = static_cast<double>(vectors[i * kDim + d]) - decoded[d];
      error += off * off / static_cast<double>(vectors.size() / kDim);
    }
  }
  return error;
}

class LearnedRotations : public testing::TestWithParam<ProductQuantizer::Shape> {};

TEST_P(LearnedRotations, LengthsStay) {
  const std::vector<float> sample = CorrelatedSample(1);
  const RotatedQuantizer trained = MustTrain(GetParam(), sample);
  std::vector<float> rotated(sample.size());
  trained.rotation.Apply(sample, rotated.data());
  for (size_t i = 0; i < 100; ++i) {
    double before = 0;
    double after = 0;
    for (size_t d = 0; d < kDim; ++d) {
      before += static_cast<double>(sample[i * kDim + d]) * sample[i * kDim + d];
      after += static_cast<double>(rotated[i * kDim + d]) * rotated[i * kDim + d];
    }
    EXPECT_NEAR(after, before, 1e-3 * before);
  }
}

TEST_P(LearnedRotations, CodesOfRotatedVectorsAreCloser) {
  const std::vector<float> sample = CorrelatedSample(1);
  const std::vector<float> others = CorrelatedSample(2);
  const RotatedQuantizer trained = MustTrain(GetParam(), sample);
  SharedLoop loop;
  const auto plain = ProductQuantizer::Train(GetParam(), sample, 1, loop);
  ASSERT_TRUE(plain.ok()) << plain.status();
  std::vector<float> rotated(others.size());
  trained.rotation.Apply(others, rotated.data());
  EXPECT_LT(ErrorOf(trained.quantizer, rotated), 0.85 * ErrorOf(*plain, others));
}

TEST_P(LearnedRotations, ARowIsRotatedAloneAsAmongOthers) {
  const std::vector<float> sample = CorrelatedSample(3);
  const RotatedQuantizer trained = MustTrain(GetParam(), sample);
  std::vector<float> together(sample.size());
  trained.rotation.Apply(sample, together.data());
  std::vector<float> alone(kDim);
  for (size_t i = 0; i < 50; ++i) {
    trained.rotation.Apply(std::span(sample).subspan(i * kDim, kDim), alone.data());
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(),
                           together.begin() + static_cast<ptrdiff_t>(i * kDim)));
  }
}

INSTANTIATE_TEST_SUITE_P(EachShape, LearnedRotations,
                         testing::Values(ProductQuantizer::Shape{kDim, 8, 16},
                                         ProductQuantizer::Shape{kDim, 4, 256}),
                         [](const testing::TestParamInfo<ProductQuantizer::Shape>& row) {
                           return "of_" + std::to_string(row.param.ksub);
                         });

// Without variance, or with values whose squares overflow, there is nothing to learn.
TEST(LearnedRotation, ASampleThatTellsNothingIsRotatedAllTheSame) {
  for (const float value : {0.0F, 3e38F}) {
    const std::vector<float> sample(100 * kDim, value);
    const RotatedQuantizer trained = MustTrain({kDim, 8, 16}, sample);
    std::vector<float> unit(kDim);
    unit[3] = 1;
    std::vector<float> rotated(kDim);
    trained.rotation.Apply(unit, rotated.data());
    double norm = 0;
    for (const float entry : rotated) norm += static_cast<double>(entry) * entry;
    EXPECT_NEAR(norm, 1, 1e-4);
  }
}

}  // namespace
}  // namespace vettore
