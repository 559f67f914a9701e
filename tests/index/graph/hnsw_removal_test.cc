// Rows that leave the graph.
#include <gtest/gtest.h>

#include <thread>

#include "index/graph/hnsw_graph.h"
#include "index/test_data.h"

namespace vettore {
namespace {

constexpr size_t kDim = 16;
constexpr size_t kCount = 3000;

// A graph over rows that are their slots.
class HnswRemoval : public testing::Test {
 protected:
  HnswRemoval()
      : distance_(Metric::kL2, kDim),
        graph_(rows_, distance_, {.config = {.m = 8, .ef_construction = 60}}, nullptr) {
    VectorSource source(kDim, Metric::kL2, 1);
    for (Slot slot = 0; slot < kCount; ++slot) Insert(slot, source.Next());
  }

  void Insert(Slot slot, const Vector& vector) {
    const Row row = rows_.Put(slot, vector)->row;
    ASSERT_TRUE(graph_.Insert(row, scratch_).ok());
    inside_.push_back(row);
  }

  // Takes the rows of the slots for which leaves(slot) out of the graph, with two threads.
  template <typename Leaves>
  void Remove(Leaves leaves) {
    std::vector<Row> leaving;
    std::vector<Row> staying;
    for (const Row row : inside_) (leaves(rows_.slot(row)) ? leaving : staying).push_back(row);
    auto set = std::make_shared<RowSet>();
    set->Reset(rows_.end());
    set->Insert(leaving);
    graph_.BeginRemoval(set, staying);
    std::vector<std::thread> threads;
    for (size_t t = 0; t < 2; ++t) {
      threads.emplace_back([this, t, &staying] {
        SearchScratch scratch;
        for (size_t i = t; i < staying.size(); i += 2) graph_.Bypass(staying[i], scratch);
      });
    }
    for (std::thread& thread : threads) thread.join();
    while (graph_.Reconnect(
               staying, [] { return false; }, scratch_) > 0) {
    }
    graph_.EndRemoval();
    inside_ = staying;
  }

  double MeanRecall() {
    constexpr size_t kQueries = 100;
    std::map<Slot, Vector> points;
    for (const Row row : inside_) {
      points[rows_.slot(row)] = Vector(rows_.vector(row), rows_.vector(row) + kDim);
    }
    double recall = 0;
    for (const Vector& query : VectorSource(kDim, Metric::kL2, 77).Take(kQueries)) {
      graph_.codes().Prepare(query.data(), scratch_.query);
      for (HnswGraph::Walk walk(graph_, 50, scratch_); walk.Step();) {
      }
      std::vector<Neighbor> found;
      for (size_t i = 0; i < 10; ++i) {
        found.push_back({rows_.slot(scratch_.pool[i].row), scratch_.pool[i].distance});
      }
      recall += Recall(found, TrueNearest(Metric::kL2, points, query, 10)) / kQueries;
    }
    return recall;
  }

  void ExpectSound() {
    std::vector<uint8_t> inside(rows_.end());
    for (const Row row : inside_) inside[row] = 1;
    IndexReport report;
    graph_.Inspect({.in_graph = inside, .is_alive = inside}, report);
    for (const IndexFinding& finding : report.findings()) {
      ADD_FAILURE() << finding.count << " " << finding.fault << ": " << finding.first;
    }
  }

  RowStore rows_{kDim};
  VectorDistance distance_;
  HnswGraph graph_;
  SearchScratch scratch_;
  std::vector<Row> inside_;
};

TEST_F(HnswRemoval, NothingLinksToWhatLeftAndEverythingElseIsReached) {
  for (uint32_t turn = 0; turn < 4; ++turn) {
    const double before = MeanRecall();
    Remove([turn](Slot slot) { return slot % 5 == turn; });
    ExpectSound();
    EXPECT_GE(MeanRecall(), before - 0.02);
  }
  EXPECT_EQ(graph_.rows(), inside_.size());
}

TEST_F(HnswRemoval, WhereAllAroundLeavesTheRestIsStillReached) {
  // All but those in one corner, and a few that are far apart.
  Remove([this](Slot slot) { return rows_.vector(slot)[0] < 1 && slot % 500 != 0; });
  ASSERT_GT(inside_.size(), 100U);
  ExpectSound();
  EXPECT_GE(MeanRecall(), 0.95);
}

TEST_F(HnswRemoval, TheLastRowStaysAloneAndOthersJoinIt) {
  Remove([](Slot slot) { return slot != 7; });
  EXPECT_EQ(graph_.rows(), 1U);
  ExpectSound();
  VectorSource source(kDim, Metric::kL2, 2);
  for (Slot slot = kCount; slot < kCount + 500; ++slot) Insert(slot, source.Next());
  ExpectSound();
  EXPECT_GE(MeanRecall(), 0.95);
}

TEST_F(HnswRemoval, ARowThatLeftIsInsertedAgainInItsPlace) {
  const size_t bytes = graph_.memory_bytes();
  Remove([](Slot slot) { return slot % 3 == 0; });
  for (Slot slot = 0; slot < kCount; slot += 3) {
    ASSERT_TRUE(graph_.Insert(slot, scratch_).ok());
    inside_.push_back(slot);
  }
  ExpectSound();
  EXPECT_EQ(graph_.memory_bytes(), bytes);
  EXPECT_GE(MeanRecall(), 0.95);
}

TEST_F(HnswRemoval, WhatIsInsertedMeanwhileDoesNotLinkToWhatLeaves) {
  auto set = std::make_shared<RowSet>();
  set->Reset(rows_.end());
  std::vector<Row> staying;
  for (const Row row : inside_) {
    if (row % 2 == 0) {
      set->Insert({&row, 1});
    } else {
      staying.push_back(row);
    }
  }
  graph_.BeginRemoval(set, staying);
  VectorSource source(kDim, Metric::kL2, 3);
  inside_ = staying;
  for (size_t i = 0; i < staying.size(); ++i) {
    graph_.Bypass(staying[i], scratch_);
    if (i % 5 == 0) Insert(static_cast<Slot>(kCount + i), source.Next());
  }
  graph_.Reconnect(
      inside_, [] { return false; }, scratch_);
  graph_.EndRemoval();
  ExpectSound();
  EXPECT_GE(MeanRecall(), 0.95);
}

}  // namespace
}  // namespace vettore
