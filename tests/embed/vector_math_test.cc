#include "embed/vector_math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace vettore {
namespace {

constexpr size_t kSizes[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 100, 257, 384};

// Each table against double, on odd lengths, one float past any alignment.
class VectorMathTest : public ::testing::TestWithParam<const VectorMath*> {
 protected:
  std::vector<float> Random(size_t size, float scale) {
    std::vector<float> values(size + 1);
    std::normal_distribution<float> normal(0, scale);
    for (float& value : values) value = normal(random_);
    return values;
  }
  const VectorMath& math() const { return *GetParam(); }

 private:
  std::mt19937 random_{5};
};

TEST_P(VectorMathTest, GeluIsWithin1e6OfTheDefinition) {
  std::vector<float> x;
  for (float value = -12; value < 12; value += 0.0005f) x.push_back(value);
  x.insert(x.end(), {0.0f, -0.0f, 1e-30f, -1e30f, 1e30f, -100.0f, 100.0f});
  std::vector<float> y = x;
  math().gelu(y.size(), y.data());
  for (size_t i = 0; i < x.size(); ++i) {
    const double value = x[i];
    const double expected = 0.5 * value * (1 + std::erf(value / std::sqrt(2.0)));
    EXPECT_NEAR(y[i], expected, 1e-6 * std::max(1.0, std::abs(value))) << x[i];
  }
}

TEST_P(VectorMathTest, SoftmaxAgreesWithDoubleAndSumsToOne) {
  for (size_t size : kSizes) {
    for (float deviation : {0.1f, 5.0f, 60.0f}) {
      const float scale = 0.25f;
      const std::vector<float> x = Random(size, deviation);
      std::vector<float> y = x;
      math().softmax(scale, size, y.data() + 1);
      const double most = *std::max_element(x.begin() + 1, x.end());
      double sum = 0;
      for (size_t i = 1; i <= size; ++i) sum += std::exp(scale * (x[i] - most));
      double total = 0;
      for (size_t i = 1; i <= size; ++i) {
        EXPECT_NEAR(y[i], std::exp(scale * (x[i] - most)) / sum, 2e-6) << size << " " << deviation;
        total += y[i];
      }
      EXPECT_NEAR(total, 1, 1e-5);
      EXPECT_EQ(y[0], x[0]);
    }
  }
}

TEST_P(VectorMathTest, SoftmaxOfHugeDifferencesIsOneAndZeros) {
  std::vector<float> x = {-1e30f, 3e4f, -3e4f, 0, 1, 2, 3, 4, 5, 6};
  math().softmax(1, x.size(), x.data());
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(x[i], i == 1 ? 1.0f : 0.0f) << i;
}

TEST_P(VectorMathTest, LayerNormAgreesWithDouble) {
  for (size_t size : kSizes) {
    const std::vector<float> a = Random(size, 3);
    std::vector<float> b = Random(size, 3);
    const std::vector<float> gain = Random(size, 1);
    const std::vector<float> shift = Random(size, 1);
    double mean = 0;
    double variance = 0;
    for (size_t i = 1; i <= size; ++i)
      mean += (static_cast<double>(a[i]) + b[i]) / static_cast<double>(size);
    for (size_t i = 1; i <= size; ++i)
      variance += std::pow(a[i] + b[i] - mean, 2) / static_cast<double>(size);
    std::vector<double> expected(size + 1);
    for (size_t i = 1; i <= size; ++i) {
      expected[i] =
          (static_cast<double>(a[i]) + b[i] - mean) / std::sqrt(variance + 1e-3) * gain[i] +
          shift[i];
    }
    math().add_layer_norm(a.data() + 1, b.data() + 1, size,
                          {gain.data() + 1, shift.data() + 1, 1e-3f}, b.data() + 1);
    for (size_t i = 1; i <= size; ++i) EXPECT_NEAR(b[i], expected[i], 2e-5) << size;
  }
}

TEST_P(VectorMathTest, AddAddsEachValueAndNothingPastTheEnd) {
  for (size_t size : kSizes) {
    const std::vector<float> bias = Random(size, 1);
    const std::vector<float> x = Random(size, 1);
    std::vector<float> y = x;
    math().add(bias.data(), size, y.data());
    for (size_t i = 0; i < size; ++i) EXPECT_EQ(y[i], x[i] + bias[i]);
    EXPECT_EQ(y[size], x[size]);
  }
}

INSTANTIATE_TEST_SUITE_P(EveryInstructionSet, VectorMathTest,
                         ::testing::ValuesIn(AvailableVectorMath()),
                         [](const auto& param) { return std::string(param.param->name); });

}  // namespace
}  // namespace vettore
