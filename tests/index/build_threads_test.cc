// How many threads an index links on can be limited: benchmarks build on one.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "index/test_data.h"

namespace vettore {
namespace {

struct Case {
  IndexConfig config;
  std::string thread_name;
};

class BuildThreads : public testing::TestWithParam<Case> {
 protected:
  // Threads of this process that build the index.
  static int Builders() {
    int count = 0;
    std::error_code gone;  // A thread may end while it is looked at.
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", gone)) {
      std::string name;
      std::getline(std::ifstream(task.path() / "comm"), name);
      if (name == GetParam().thread_name) ++count;
    }
    return count;
  }
};

TEST_P(BuildThreads, AreNoMoreThanWereAllowed) {
  constexpr size_t kDim = 32;
  VectorConfig config;
  config.dimension = kDim;
  config.metric = Metric::kL2;
  config.index = GetParam().config;
  const auto index = MakeVectorIndex(config, {.build_threads = 1});
  ASSERT_TRUE(index.ok()) << index.status();
  PutAll(**index, VectorSource(kDim, Metric::kL2, 1).Take(3'000));
  int most = 0;
  while ((*index)->Stats().unindexed > 0) most = std::max(most, Builders());
  EXPECT_EQ(most, 1);
}

INSTANTIATE_TEST_SUITE_P(
    EveryKind, BuildThreads,
    testing::Values(Case{HnswConfig{.m = 8, .ef_construction = 200}, "vettore-link"},
                    Case{IvfConfig{.nlist = 64}, "vettore-ivf"}),
    [](const testing::TestParamInfo<Case>& row) { return row.index == 0 ? "Hnsw" : "Ivf"; });

}  // namespace
}  // namespace vettore
