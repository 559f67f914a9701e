// What the codes of residuals estimate, and how far they are off.
#include "index/lists/ivf_coder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "index/lists/ivf_list.h"
#include "index/test_data.h"

namespace vettore {
namespace {

constexpr size_t kRows = IvfBlock::kRows;

// The rows of a list around a centroid, coded with one bit a value.
class OneBitCodes : public testing::TestWithParam<std::tuple<Metric, uint32_t>> {
 protected:
  OneBitCodes() : source_(dim(), metric(), 21), centroid_(source_.Next()) {
    VectorConfig config;
    config.dimension = static_cast<uint32_t>(dim());
    config.metric = metric();
    SharedLoop loop;
    coder_ = std::make_unique<IvfCoder>(
        *IvfCoder::Train(config, {.encoding = IvfEncoding::kRaBitQ}, {}, loop));
    CodedRows coded(coder_->code_bytes());
    std::vector<uint32_t> which;
    for (uint32_t i = 0; i < kRows; ++i) {
      vectors_.push_back(source_.Next());
      const IvfCoder::Placed placed{i, vectors_.back().data(), centroid_.data()};
      coder_->Encode({&placed, 1}, coded);
      which.push_back(i);
    }
    const IvfListShape shape{.code_bytes = coder_->code_bytes(), .has_factors = true};
    list_ = std::make_unique<IvfList>(shape, coded, which);
  }

  Metric metric() const { return std::get<0>(GetParam()); }
  size_t dim() const { return std::get<1>(GetParam()); }

  // By how many of its standard deviations each row's estimate is off.
  std::vector<double> Errors(const Vector& query) const {
    PqTables tables;
    EXPECT_TRUE(coder_->Prepare(query.data(), tables));
    const double to_centroid = TrueDistance(metric(), query, centroid_);
    const double away = metric() == Metric::kInnerProduct
                            ? -TrueDistance(Metric::kInnerProduct, query, query)
                            : TrueDistance(Metric::kL2, query, centroid_);
    const float error = coder_->ErrorOf(tables, static_cast<float>(away));
    const IvfBlock block = list_->block(0);
    float estimates[kRows];
    tables.Scan({block.codes(), block.biases(), block.factors(list_->shape())},
                {static_cast<float>(to_centroid), 1e30F}, estimates);
    std::vector<double> errors;
    for (size_t i = 0; i < kRows; ++i) {
      const double off = estimates[i] - TrueDistance(metric(), query, vectors_[i]);
      errors.push_back(off / (error * block.factors(list_->shape())[i]));
    }
    return errors;
  }

  VectorSource source_;
  const Vector centroid_;
  std::vector<Vector> vectors_;
  std::unique_ptr<IvfCoder> coder_;
  std::unique_ptr<IvfList> list_;
};

// About as a normal distribution: hardly any are beyond three, and they do not lean to a side.
TEST_P(OneBitCodes, EstimatesAreOffByTheirError) {
  double sum = 0;
  double squares = 0;
  size_t beyond = 0;
  size_t count = 0;
  for (size_t q = 0; q < 100; ++q) {
    for (const double error : Errors(source_.Next())) {
      sum += error;
      squares += error * error;
      beyond += std::abs(error) > 3 ? 1 : 0;
      ++count;
    }
  }
  const auto total = static_cast<double>(count);
  EXPECT_NEAR(sum / total, 0, 0.6);  // One rotation, and few rows.
  EXPECT_GT(std::sqrt(squares / total), 0.6);
  EXPECT_LT(std::sqrt(squares / total), 1.2);
  EXPECT_LT(static_cast<double>(beyond) / total, 0.01);
}

// A residual without length has no angle with its code.
TEST_P(OneBitCodes, ARowOnItsCentroidIsExact) {
  CodedRows coded(coder_->code_bytes());
  const IvfCoder::Placed placed{5, centroid_.data(), centroid_.data()};
  coder_->Encode({&placed, 1}, coded);
  EXPECT_EQ(coded.factors, std::vector<float>{0});
  EXPECT_EQ(coded.biases, std::vector<float>{0});
}

INSTANTIATE_TEST_SUITE_P(EveryMetric, OneBitCodes,
                         testing::Combine(testing::Values(Metric::kL2, Metric::kInnerProduct,
                                                          Metric::kCosine),
                                          testing::Values(50, 128, 384)),
                         [](const testing::TestParamInfo<std::tuple<Metric, uint32_t>>& row) {
                           return std::string(NameOf(std::get<0>(row.param))) + "_" +
                                  std::to_string(std::get<1>(row.param));
                         });

}  // namespace
}  // namespace vettore
