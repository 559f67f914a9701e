// How many threads an index links on can be limited: benchmarks build on one.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "index/test_data.h"

namespace vettore {
namespace {

// Threads of this process that link.
int Linkers() {
  int count = 0;
  std::error_code gone;  // A thread may end while it is looked at.
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", gone)) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    if (name == "vettore-link") ++count;
  }
  return count;
}

TEST(BuildThreads, AreNoMoreThanWereAllowed) {
  constexpr size_t kDim = 32;
  VectorConfig config;
  config.dimension = kDim;
  config.metric = Metric::kL2;
  config.index = HnswConfig{.m = 8, .ef_construction = 200};
  const auto index = MakeVectorIndex(config, {.build_threads = 1});
  ASSERT_TRUE(index.ok()) << index.status();
  PutAll(**index, VectorSource(kDim, Metric::kL2, 1).Take(3'000));
  int most = 0;
  while ((*index)->Stats().unindexed > 0) most = std::max(most, Linkers());
  EXPECT_EQ(most, 1);
}

}  // namespace
}  // namespace vettore
