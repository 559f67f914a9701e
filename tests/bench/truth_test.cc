// Exact answers: against a plain scan in double, filtered, and through the cache.
#include <algorithm>
#include <atomic>
#include <random>

#include "bench/exact_truth.h"
#include "bench/fixture.h"
#include "bench/truth_cache.h"

namespace vettore::bench {
namespace {

namespace fs = std::filesystem;

Matrix<float> RandomRows(size_t count, size_t dim, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> value;
  Matrix<float> rows{.values = std::vector<float>(count * dim), .count = count, .dim = dim};
  for (float& entry : rows.values) entry = value(random);
  return rows;
}

double DoubleDistance(const TruthQuestion& question, size_t query, size_t row) {
  double sum = 0;
  for (size_t d = 0; d < question.base.dim; ++d) {
    const double a = question.queries.row(query)[d];
    const double b = question.base.row(row)[d];
    sum += question.metric == Metric::kL2 ? (a - b) * (a - b) : -a * b;
  }
  return sum;
}

std::vector<int32_t> PlainScan(const TruthQuestion& question, size_t query) {
  std::vector<std::pair<double, int32_t>> all;
  for (size_t row = 0; row < question.base.count; ++row) {
    if (question.allowed != nullptr && !question.allowed->Contains(static_cast<Slot>(row)))
      continue;
    all.emplace_back(DoubleDistance(question, query, row), static_cast<int32_t>(row));
  }
  std::sort(all.begin(), all.end());
  std::vector<int32_t> rows(question.k, kNoRow);
  for (size_t i = 0; i < std::min(question.k, all.size()); ++i) rows[i] = all[i].second;
  return rows;
}

void ExpectPlainScans(const TruthQuestion& question, const Neighbors& truth) {
  ASSERT_EQ(truth.count, question.queries.count);
  ASSERT_EQ(truth.dim, question.k);
  for (size_t q = 0; q < truth.count; ++q) {
    EXPECT_THAT(truth.span(q), testing::ElementsAreArray(PlainScan(question, q))) << "query " << q;
  }
}

TEST(ExactTruth, IsThatOfAPlainScanInDouble) {
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
    for (const size_t dim : {3, 128}) {
      const Matrix<float> base = RandomRows(1'003, dim, 1);
      const Matrix<float> queries = RandomRows(37, dim, 2);
      const TruthQuestion question{.base = base, .queries = queries, .metric = metric, .k = 7};
      for (const int threads : {1, 3}) {
        double share = 0;
        const TruthRun run{.threads = threads, .on_progress = [&](double now) { share = now; }};
        ExpectPlainScans(question, ExactTruth(question, run));
        if (threads == 1) {
          EXPECT_EQ(share, 1);
        }
      }
    }
  }
}

TEST(ExactTruth, CountsOnlyAllowedRowsAndSaysWhenTheyAreFewerThanK) {
  const Matrix<float> base = RandomRows(100, 8, 3);
  const Matrix<float> queries = RandomRows(5, 8, 4);
  SlotBitmap allowed(100);
  for (const Slot slot : {3, 50, 99}) allowed.Insert(slot);
  const TruthQuestion question{
      .base = base, .queries = queries, .metric = Metric::kL2, .k = 4, .allowed = &allowed};
  const Neighbors truth = ExactTruth(question, {});
  ExpectPlainScans(question, truth);
  EXPECT_EQ(truth.row(0)[3], kNoRow);
}

class TruthCacheTest : public testing::Test {
 protected:
  TruthQuestion Question(size_t k = 3, Metric metric = Metric::kL2,
                         const SlotBitmap* allowed = nullptr) const {
    return {.base = base_, .queries = queries_, .metric = metric, .k = k, .allowed = allowed};
  }
  // Whether the answer was computed, not taken from a file.
  bool Computes(const TruthQuestion& question) {
    bool computed = false;
    const TruthRun run{.threads = 1, .on_progress = [&](double) { computed = true; }};
    ExpectPlainScans(question, CachedTruth(question, run, folder_.path()));
    return computed;
  }
  fs::path OnlyFile() const { return fs::directory_iterator(folder_.path())->path(); }

  TemporaryDirectory folder_;
  Matrix<float> base_ = RandomRows(50, 4, 5);
  Matrix<float> queries_ = RandomRows(6, 4, 6);
};

TEST_F(TruthCacheTest, AnswersTheSameQuestionFromItsFile) {
  EXPECT_TRUE(Computes(Question()));
  EXPECT_FALSE(Computes(Question()));
}

TEST_F(TruthCacheTest, AnotherQuestionIsComputed) {
  EXPECT_TRUE(Computes(Question()));
  EXPECT_TRUE(Computes(Question(4)));
  EXPECT_TRUE(Computes(Question(3, Metric::kInnerProduct)));
  SlotBitmap allowed(50);
  for (Slot slot = 10; slot < 20; ++slot) allowed.Insert(slot);
  EXPECT_TRUE(Computes(Question(3, Metric::kL2, &allowed)));
  base_.values[17] += 1;
  EXPECT_TRUE(Computes(Question()));
  queries_.values[0] += 1;
  EXPECT_TRUE(Computes(Question()));
}

TEST_F(TruthCacheTest, ADamagedFileIsComputedAnew) {
  EXPECT_TRUE(Computes(Question()));
  const fs::path file = OnlyFile();
  {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(30);
    bytes.put('\x7F');
  }
  EXPECT_TRUE(Computes(Question()));
  EXPECT_FALSE(Computes(Question()));
  fs::resize_file(file, 20);
  EXPECT_TRUE(Computes(Question()));
}

TEST_F(TruthCacheTest, WhatCannotBeKeptIsAnsweredAllTheSame) {
  const TruthQuestion question = Question();
  std::ofstream(folder_ / "file") << "x";
  ExpectPlainScans(question, CachedTruth(question, {}, folder_ / "file"));
  ExpectPlainScans(question, CachedTruth(question, {}, ""));
}

}  // namespace
}  // namespace vettore::bench
