// What is particular to indexes of FAISS; FAISS itself judges what they find.
#include "index/faiss/faiss_index.h"

#include <faiss/AutoTune.h>
#include <faiss/index_factory.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/strings.h"
#include "index/test_data.h"

namespace vettore {
namespace {

constexpr size_t kDim = 32;

VectorConfig Config(FaissConfig faiss, Metric metric = Metric::kL2) {
  VectorConfig config;
  config.dimension = kDim;
  config.metric = metric;
  config.index = std::move(faiss);
  return config;
}

std::unique_ptr<VectorIndex> Make(const FaissConfig& faiss, Metric metric = Metric::kL2) {
  return MakeIndex(faiss, metric, kDim);
}

std::vector<Vector> Take(size_t count, uint32_t seed, Metric metric = Metric::kL2) {
  return VectorSource(kDim, metric, seed).Take(count);
}

TEST(FaissIndexes, FindWhatFaissFinds) {
  for (const char* factory : {"IVF32,Flat", "HNSW8"}) {
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
      const std::vector<Vector> vectors = Take(4'000, 1, metric);
      const std::unique_ptr<faiss::Index> oracle(faiss::index_factory(
          kDim, factory, metric == Metric::kL2 ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT));
      std::vector<float> flat;
      for (const Vector& vector : vectors) flat.insert(flat.end(), vector.begin(), vector.end());
      oracle->train(4'000, flat.data());
      oracle->add(4'000, flat.data());
      const bool is_ivf = std::string_view(factory).starts_with("IVF");
      if (is_ivf) faiss::ParameterSpace().set_index_parameters(oracle.get(), "nprobe=3");
      const auto index = Make({factory, is_ivf ? "nprobe=3" : ""}, metric);
      PutAll(*index, vectors);
      WaitUntilIndexed(*index);
      size_t same = 0;
      for (const Vector& query : Take(50, 2, metric)) {
        float distances[10];
        faiss::Index::idx_t labels[10];
        oracle->search(1, query.data(), 10, distances, labels);
        IndexSearchTrace trace;
        const auto found = MustSearch(*index, query, Nearest(10), &trace);
        EXPECT_EQ(trace.plan, "faiss");
        for (size_t i = 0; i < 10; ++i) same += found[i].slot == labels[i];
      }
      // A graph depends on the order in which threads link; lists do not.
      EXPECT_GE(same, is_ivf ? 500U : 400U) << factory << " " << NameOf(metric);
    }
  }
}

TEST(FaissIndexes, ASearchsOwnNprobeGoesToFaiss) {
  const auto index = Make({"IVF64,Flat"});
  const auto points = PutAll(*index, Take(5'000, 1));
  WaitUntilIndexed(*index);
  double recall[2] = {};
  for (const Vector& query : Take(50, 2)) {
    IndexSearchOptions options = Nearest(10);
    const auto truth = TrueNearest(Metric::kL2, points, query, 10);
    recall[0] += Recall(MustSearch(*index, query, options), truth) / 50;  // FAISS's own: 1.
    options.nprobe = 64;
    recall[1] += Recall(MustSearch(*index, query, options), truth) / 50;
  }
  EXPECT_LT(recall[0], 0.95);
  EXPECT_GT(recall[1], 0.999);
}

TEST(FaissIndexes, MeasuringMoreAgainFindsMore) {
  double recall[2] = {};
  for (const uint32_t rerank : {1, 20}) {
    const auto index = Make({"PQ8x4fs", "", rerank});
    const auto points = PutAll(*index, Take(4'000, 1));
    WaitUntilIndexed(*index);
    for (const Vector& query : Take(50, 2)) {
      recall[rerank > 1] += Recall(MustSearch(*index, query, Nearest(10)),
                                   TrueNearest(Metric::kL2, points, query, 10)) /
                            50;
    }
  }
  EXPECT_LT(recall[0], 0.8);
  EXPECT_GT(recall[1], 0.9);
}

TEST(FaissIndexes, AQuarterThatIsNewMakesABuildDueAndWaitingTakesTheRest) {
  const auto index = Make({"SQ8"});
  VectorSource source(kDim, Metric::kL2, 1);
  const auto put = [&](Slot begin, Slot end) {
    for (Slot slot = begin; slot < end; ++slot) ASSERT_TRUE(index->Put(slot, source.Next()).ok());
  };
  put(0, 200);
  EXPECT_EQ(index->Stats().unindexed, 0U);  // Too few: nothing waits.
  put(200, 1'000);
  WaitUntilIndexed(*index);
  EXPECT_EQ(index->Stats().unindexed, 0U);
  const uint64_t taken = index->Stats().taken;
  put(1'000, 1'200);
  EXPECT_EQ(index->Stats().unindexed, 200U);
  EXPECT_EQ(index->Stats().taken, taken);
  put(1'200, 1'250);
  while (index->Stats().taken == taken) std::this_thread::yield();
  EXPECT_EQ(index->Stats().taken, taken + 1'250);
  put(1'250, 1'260);
  WaitUntilIndexed(*index);
  EXPECT_EQ(index->Stats().unindexed, 0U);
}

TEST(FaissIndexes, AQuarterThatIsDeadIsReclaimed) {
  const auto index = Make({"SQ8"});
  const auto points = PutAll(*index, Take(4'000, 1));
  WaitUntilIndexed(*index);
  for (Slot slot = 0; slot < 3'000; ++slot) index->Remove(slot);
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (index->Stats().tombstones > 1'500 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_LE(index->Stats().tombstones, 1'500U);
  for (Slot slot = 1'000; slot < 4'000; ++slot) index->Remove(slot);  // Too few to build again.
  EXPECT_TRUE(MustSearch(*index, points.at(0), Nearest(5)).empty());
}

TEST(FaissIndexes, VectorsThatFaissCannotMeasureAreScanned) {
  const auto index = Make({"IVF4,Flat"});
  auto points = PutAll(*index, Take(1'000, 1));
  for (Slot slot = 1'000; slot < 1'010; ++slot) {
    points[slot] = Vector(kDim, 1e18F * static_cast<float>(slot));
    ASSERT_TRUE(index->Put(slot, points[slot]).ok());
  }
  WaitUntilIndexed(*index);
  EXPECT_EQ(index->Stats().unindexed, 10U);
  IndexSearchTrace trace;
  EXPECT_EQ(MustSearch(*index, points[1'003], Nearest(1), &trace)[0].slot, 1'003U);
  EXPECT_EQ(trace.plan, "exact scan");
  EXPECT_EQ(MustSearch(*index, points[3], Nearest(1), &trace)[0].slot, 3U);
  EXPECT_EQ(trace.plan, "faiss");
}

TEST(FaissIndexes, WhatOnlyFaissKnowsIsRefusedWithItsReason) {
  const auto fault = [](FaissConfig faiss, Metric metric) {
    const absl::Status status = CheckVectorIndex(Config(std::move(faiss), metric));
    EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  EXPECT_EQ(fault({"HNSW16,PQ8"}, Metric::kL2), "");
  EXPECT_EQ(fault({"HNSW16,PQ8"}, Metric::kCosine), "");
  EXPECT_THAT(fault({"HNSW16,PQ8"}, Metric::kInnerProduct),
              testing::HasSubstr("FAISS refuses: it has no inner_product"));
  EXPECT_THAT(fault({"LSH"}, Metric::kInnerProduct), testing::HasSubstr("metric == METRIC_L2"));
  EXPECT_THAT(fault({"SQ8", "nprobe=3"}, Metric::kL2), testing::HasSubstr("nprobe"));
  EXPECT_EQ(fault({"IVF64_HNSW8,Flat", "nprobe=3,quantizer_efSearch=40"}, Metric::kL2), "");
}

// Assertions within FAISS would end the process.
TEST(FaissIndexes, OddVectorsHarmNoKind) {
  constexpr size_t kCount = 1'500;
  std::map<std::string, std::vector<Vector>> sets;
  sets["equal"].assign(kCount, Take(1, 1)[0]);
  sets["zero"].assign(kCount, Vector(kDim));
  sets["two"] = sets["equal"];
  for (size_t i = 0; i < kCount; i += 2) sets["two"][i] = Vector(kDim, 2);
  const auto scaled = [](float factor) {
    std::vector<Vector> vectors = Take(kCount, 1);
    for (Vector& vector : vectors) {
      for (float& value : vector) value *= factor;
    }
    return vectors;
  };
  sets["large"] = scaled(3e13F);
  sets["small"] = scaled(1e-25F);
  sets["mixed"] = Take(kCount, 1);
  for (size_t i = 0; i < kCount; i += 3) sets["mixed"][i] = Vector(kDim, 1e14F);
  for (const char* factory : {"Flat",
                              "SQ4",
                              "SQ6",
                              "SQ8",
                              "SQfp16",
                              "PQ8x4",
                              "PQ8x5",
                              "PQ8x4fs",
                              "LSHrt",
                              "HNSW8",
                              "HNSW8,SQ8",
                              "IVF16,Flat",
                              "IVF16,SQ8",
                              "IVF16,SQfp16",
                              "IVF16,PQ8x4",
                              "IVF16,PQ8x4fs",
                              "IVF16,PQ8x4fsr",
                              "IVF16_HNSW8,Flat",
                              "PCA16,Flat",
                              "PCAR16,PQ8x4fs",
                              "RR,SQ4",
                              "L2norm,IVF16,SQ8",
                              "Pad64,PQ16x4"}) {
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct}) {
      if (!CheckVectorIndex(Config({factory}, metric)).ok()) continue;
      for (const auto& [name, vectors] : sets) {
        SCOPED_TRACE(StrCat(factory, " ", name));
        const auto index = Make({factory}, metric);
        PutAll(*index, vectors);
        // A kind may refuse such vectors, which are scanned then.
        const CancelToken cancel(absl::Now() + absl::Minutes(1), nullptr);
        const absl::Status built = index->WaitUntilIndexed(cancel);
        EXPECT_FALSE(absl::IsDeadlineExceeded(built)) << built;
        for (const Vector& query : {vectors[0], vectors[1], Vector(kDim, 1e-3F)}) {
          for (const size_t k : {3, 130}) {
            EXPECT_EQ(MustSearch(*index, query, Nearest(k)).size(), k);
          }
        }
      }
    }
  }
}

TEST(FaissIndexes, ClosingOneStopsItsTraining) {
  // Half a minute on one core.
  auto index = Make({"OPQ8,IVF64,PQ8"});
  PutAll(*index, Take(12'000, 1));
  const CancelToken soon(absl::Now() + absl::Milliseconds(300), nullptr);
  EXPECT_TRUE(absl::IsDeadlineExceeded(index->WaitUntilIndexed(soon)));
  EXPECT_EQ(MustSearch(*index, Take(1, 2)[0], Nearest(10)).size(), 10U);
  const auto begin = std::chrono::steady_clock::now();
  index.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(FaissIndexes, BuildOnAsManyThreadsAsTheyMay) {
  const auto builders = [] {
    int count = 0;
    std::error_code gone;  // A thread may end while it is looked at.
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", gone)) {
      std::string name;
      std::getline(std::ifstream(task.path() / "comm"), name);
      if (name == "vettore-faiss") ++count;
    }
    return count;
  };
  for (const int threads : {1, 3}) {
    const auto index =
        MakeIndex(FaissConfig{"HNSW16"}, Metric::kL2, kDim, {.build_threads = threads});
    PutAll(*index, Take(6'000, 1));
    int most = 0;
    const auto is_built = [&] {
      return index->WaitUntilIndexed(CancelToken(absl::Now() + absl::Milliseconds(2), nullptr))
          .ok();
    };
    while (!is_built()) most = std::max(most, builders());
    EXPECT_EQ(most, threads);
  }
}

}  // namespace
}  // namespace vettore
