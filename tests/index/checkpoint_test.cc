// Indexes that are written to a file and opened again.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/checksummed_file.h"
#include "index/test_data.h"
#include "support/temporary_directory.h"

namespace vettore {
namespace {

constexpr size_t kDim = 40;
constexpr std::string_view kTitle = "test checkpoint\n";

VectorConfig Config(Metric metric, Quantization quantization) {
  VectorConfig config;
  config.dimension = kDim;
  config.metric = metric;
  config.index = HnswConfig{.quantization = quantization};
  return config;
}

class IndexCheckpoints : public testing::Test {
 protected:
  std::unique_ptr<VectorIndex> Make() const {
    auto index = MakeVectorIndex(config_, {.folder = directory_.path()});
    EXPECT_TRUE(index.ok()) << index.status();
    return *std::move(index);
  }
  std::unique_ptr<IndexCheckpoint> Begin(VectorIndex& index) const {
    auto checkpoint = index.BeginCheckpoint();
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
    EXPECT_NE(*checkpoint, nullptr);
    return *std::move(checkpoint);
  }
  void Finish(std::unique_ptr<IndexCheckpoint> checkpoint) const {
    auto out = ChecksummedWriter::Create(file(), kTitle);
    ASSERT_TRUE(out.ok()) << out.status();
    const absl::Status written = checkpoint->Write(*out);
    ASSERT_TRUE(written.ok()) << written;
    ASSERT_TRUE(out->Finish().ok());
  }
  absl::StatusOr<std::unique_ptr<VectorIndex>> TryRestore(const VectorConfig& config) const {
    auto in = ChecksummedReader::Open(file(), kTitle);
    if (!in.ok()) return in.status();
    return RestoreVectorIndex(config, {.folder = directory_.path()}, *in);
  }
  std::unique_ptr<VectorIndex> Restore() const {
    auto index = TryRestore(config_);
    EXPECT_TRUE(index.ok()) << index.status();
    return *std::move(index);
  }
  VectorSource Source(uint32_t seed) const { return {kDim, config_.metric, seed}; }
  std::filesystem::path file() const { return directory_ / "checkpoint"; }

  void ExpectSameAnswers(const VectorIndex& a, const VectorIndex& b) const {
    for (const Vector& query : Source(77).Take(50)) {
      const auto from_a = MustSearch(a, query, NearestInGraph(10, 64));
      const auto from_b = MustSearch(b, query, NearestInGraph(10, 64));
      ASSERT_EQ(from_a.size(), from_b.size());
      for (size_t i = 0; i < from_a.size(); ++i) {
        EXPECT_EQ(from_a[i].slot, from_b[i].slot);
        EXPECT_EQ(from_a[i].distance, from_b[i].distance);
      }
    }
  }

  VectorConfig config_ = Config(Metric::kL2, Quantization::kSq8);
  const TemporaryDirectory directory_;
};

TEST_F(IndexCheckpoints, ARestoredIndexAnswersAsItDidAndBuildsNothing) {
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
    for (const Quantization quantization :
         {Quantization::kNone, Quantization::kSq8, Quantization::kSq4, Quantization::kRaBitQ}) {
      config_ = Config(metric, quantization);
      const auto index = Make();
      PutAll(*index, Source(1).Take(4'000));
      WaitUntilIndexed(*index);
      for (Slot slot = 0; slot < 700; ++slot) index->Remove(slot);  // They stay in the graph, dead.
      Finish(Begin(*index));
      const auto restored = Restore();
      EXPECT_EQ(restored->Stats().live, 3'300U);
      EXPECT_EQ(restored->Stats().unindexed, 0U);
      EXPECT_EQ(restored->Stats().tombstones, 700U);
      EXPECT_EQ(restored->Slots().Count(), 3'300U);
      EXPECT_FALSE(restored->Slots().Contains(699));
      EXPECT_TRUE(restored->Slots().Contains(700));
      ExpectSameAnswers(*index, *restored);
    }
  }
}

VectorConfig Flat(Metric metric) {
  VectorConfig config = Config(metric, Quantization::kNone);
  config.index = FlatConfig{};
  return config;
}

TEST_F(IndexCheckpoints, ARestoredFlatIndexAnswersAsItDid) {
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
    config_ = Flat(metric);
    const auto index = Make();
    PutAll(*index, Source(1).Take(4'000));
    for (Slot slot = 0; slot < 700; ++slot) index->Remove(slot);
    Finish(Begin(*index));
    const auto restored = Restore();
    EXPECT_EQ(restored->Stats().live, 3'300U);
    EXPECT_EQ(restored->Stats().taken, 0U);
    EXPECT_EQ(restored->Stats().tombstones, 0U);  // Their rows can be used at once.
    EXPECT_EQ(restored->Slots().Count(), 3'300U);
    EXPECT_FALSE(restored->Slots().Contains(699));
    ExpectSameAnswers(*index, *restored);
  }
}

// Of the first 3,000 slots half are removed; some are put over, and others put anew.
void ChangeMost(VectorIndex& index, VectorSource source, std::map<Slot, Vector>& points) {
  for (Slot slot = 0; slot < 3'000; slot += 2) {
    index.Remove(slot);
    points.erase(slot);
  }
  for (Slot slot = 2'500; slot < 6'000; ++slot) {
    points[slot] = source.Next();
    ASSERT_TRUE(index.Put(slot, points[slot]).ok());
  }
}

TEST_F(IndexCheckpoints, ARestoredFlatIndexGoesOnChanging) {
  config_ = Flat(Metric::kL2);
  auto index = Make();
  auto points = PutAll(*index, Source(1).Take(3'000));
  Finish(Begin(*index));
  index.reset();
  index = Restore();
  ChangeMost(*index, Source(2), points);
  for (const int times : {1, 2}) {
    EXPECT_EQ(index->Stats().live, points.size());
    for (const Vector& query : Source(3).Take(20)) {
      const auto found = MustSearch(*index, query, Nearest(10));
      ExpectTrueNeighbors(found, config_.metric, points, query);
      EXPECT_EQ(Recall(found, TrueNearest(config_.metric, points, query, 10)), 1);
    }
    if (times == 2) break;
    Finish(Begin(*index));
    index.reset();
    index = Restore();
  }
}

TEST_F(IndexCheckpoints, AFlatIndexOfOtherSettingsIsRefused) {
  config_ = Flat(Metric::kL2);
  const auto index = Make();
  PutAll(*index, Source(1).Take(100));
  Finish(Begin(*index));
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(Flat(Metric::kCosine)).status()));
  VectorConfig other = config_;
  other.dimension = kDim + 1;
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(other).status()));
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(Config(Metric::kL2, Quantization::kNone)).status()));
  EXPECT_TRUE(TryRestore(config_).ok());
}

VectorConfig Lists(Metric metric, IvfEncoding encoding) {
  VectorConfig config = Config(metric, Quantization::kSq8);
  config.index = IvfConfig{.encoding = encoding};
  return config;
}

TEST_F(IndexCheckpoints, RestoredListsAnswerAsTheyDidAndAreNotTrainedAgain) {
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
    for (const IvfConfig& ivf :
         {IvfConfig{.encoding = IvfEncoding::kFlat}, IvfConfig{.encoding = IvfEncoding::kPq4},
          IvfConfig{.encoding = IvfEncoding::kPq4, .opq = true},
          IvfConfig{.encoding = IvfEncoding::kPq8}, IvfConfig{.encoding = IvfEncoding::kRaBitQ}}) {
      config_ = Lists(metric, ivf.encoding);
      config_.index = ivf;
      const auto index = Make();
      PutAll(*index, Source(1).Take(4'000));
      WaitUntilIndexed(*index);
      for (Slot slot = 0; slot < 100; ++slot) index->Remove(slot);
      WaitUntilIndexed(*index);
      Finish(Begin(*index));
      const auto restored = Restore();
      EXPECT_EQ(restored->Stats().live, 3'900U);
      EXPECT_EQ(restored->Stats().unindexed, 0U);
      EXPECT_EQ(restored->Slots().Count(), 3'900U);
      ExpectSameAnswers(*index, *restored);
      EXPECT_EQ(restored->Stats().taken, 0U);
    }
  }
}

TEST_F(IndexCheckpoints, RestoredListsGoOnChanging) {
  for (const IvfEncoding encoding : {IvfEncoding::kFlat, IvfEncoding::kPq4, IvfEncoding::kRaBitQ}) {
    config_ = Lists(Metric::kL2, encoding);
    auto index = Make();
    auto points = PutAll(*index, Source(1).Take(3'000));
    WaitUntilIndexed(*index);
    auto checkpoint = Begin(*index);
    VectorSource source = Source(2);
    for (Slot slot = 3'000; slot < 3'200; ++slot) ASSERT_TRUE(index->Put(slot, source.Next()).ok());
    WaitUntilIndexed(*index);  // These are in lists, but not in those of the checkpoint.
    Finish(std::move(checkpoint));
    index.reset();
    index = Restore();
    EXPECT_EQ(index->Stats().live, 3'000U);
    for (Slot slot = 0; slot < 3'000; slot += 2) {
      index->Remove(slot);
      points.erase(slot);
    }
    for (Slot slot = 2'500; slot < 9'000; ++slot) {  // Enough for another training.
      points[slot] = source.Next();
      ASSERT_TRUE(index->Put(slot, points[slot]).ok());
    }
    WaitUntilIndexed(*index);
    EXPECT_EQ(index->Stats().live, points.size());
    for (const Vector& query : Source(3).Take(30)) {
      const auto found = MustSearch(*index, query, NearestInGraph(10, 64));
      EXPECT_EQ(found.size(), 10U);
      ExpectTrueNeighbors(found, config_.metric, points, query);
    }
  }
}

// A row that is not what the checkpoint says is in a list all the same, dead.
TEST_F(IndexCheckpoints, AVectorThatIsGoneFromTheFileIsNotFoundInItsList) {
  config_ = Lists(Metric::kL2, IvfEncoding::kFlat);
  const std::vector<Vector> vectors = Source(1).Take(2'000);
  {
    const auto index = Make();
    PutAll(*index, vectors);
    WaitUntilIndexed(*index);
    Finish(Begin(*index));
  }
  const size_t row_bytes = 48 * sizeof(float);  // 40 floats, padded to cache lines.
  std::fstream file(directory_ / "vectors", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(7 * row_bytes + 5));
  file.put('x');
  file.close();
  const auto restored = Restore();
  EXPECT_EQ(restored->Stats().live, 1'999U);
  EXPECT_EQ(restored->Stats().unindexed, 0U);
  IndexSearchTrace trace;
  for (const Neighbor& found : MustSearch(*restored, vectors[7], Nearest(10), &trace)) {
    EXPECT_NE(found.slot, 7U);
  }
  EXPECT_EQ(trace.plan, "lists");
  ASSERT_TRUE(restored->Put(7, vectors[7]).ok());
  EXPECT_EQ(MustSearch(*restored, vectors[7], Nearest(10)).front().slot, 7U);
}

TEST_F(IndexCheckpoints, ListsOfOtherSettingsAreRefused) {
  config_ = Lists(Metric::kL2, IvfEncoding::kPq4);
  const auto index = Make();
  PutAll(*index, Source(1).Take(2'000));
  WaitUntilIndexed(*index);
  Finish(Begin(*index));
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(Lists(Metric::kL2, IvfEncoding::kPq8)).status()));
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(Lists(Metric::kL2, IvfEncoding::kRaBitQ)).status()));
  VectorConfig rotated = config_;
  rotated.index = IvfConfig{.encoding = IvfEncoding::kPq4, .opq = true};
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(rotated).status()));
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(Lists(Metric::kCosine, IvfEncoding::kPq4)).status()));
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(Config(Metric::kL2, Quantization::kSq8)).status()));
  EXPECT_TRUE(TryRestore(config_).ok());
}

VectorConfig OfFaiss(Metric metric, std::string factory) {
  VectorConfig config = Config(metric, Quantization::kSq8);
  config.index = FaissConfig{.factory = std::move(factory)};
  return config;
}

TEST_F(IndexCheckpoints, ARestoredFaissIndexAnswersAsItDidAndIsNotBuiltAgain) {
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
    for (const char* factory : {"HNSW8", "PCAR20,IVF16,PQ10x4fs", "SQ8"}) {
      SCOPED_TRACE(factory);
      config_ = OfFaiss(metric, factory);
      const auto index = Make();
      PutAll(*index, Source(1).Take(4'000));
      WaitUntilIndexed(*index);
      VectorSource source = Source(2);
      for (Slot slot = 0; slot < 200; ++slot) index->Remove(slot);
      for (Slot slot = 200; slot < 500; ++slot) {  // The tail.
        ASSERT_TRUE(index->Put(slot, source.Next()).ok());
      }
      Finish(Begin(*index));
      const auto restored = Restore();
      EXPECT_EQ(restored->Stats().live, 3'800U);
      EXPECT_EQ(restored->Stats().unindexed, 300U);
      EXPECT_EQ(restored->Slots().Count(), 3'800U);
      ExpectSameAnswers(*index, *restored);
      EXPECT_EQ(restored->Stats().taken, 0U);
    }
  }
}

TEST_F(IndexCheckpoints, ARestoredFaissIndexGoesOnChanging) {
  config_ = OfFaiss(Metric::kL2, "IVF16,SQ8");
  auto index = Make();
  auto points = PutAll(*index, Source(1).Take(3'000));
  WaitUntilIndexed(*index);
  Finish(Begin(*index));
  // These rows change after the checkpoint: what it says of them is not true any more.
  VectorSource source = Source(2);
  for (Slot slot = 0; slot < 900; ++slot) {
    points[slot] = source.Next();
    ASSERT_TRUE(index->Put(slot, points[slot]).ok());
  }
  WaitUntilIndexed(*index);
  index.reset();
  index = Restore();
  EXPECT_LE(index->Stats().live, 3'000U);
  for (Slot slot = 0; slot < 900; ++slot) ASSERT_TRUE(index->Put(slot, points[slot]).ok());
  for (Slot slot = 1'000; slot < 2'000; ++slot) {
    index->Remove(slot);
    points.erase(slot);
  }
  for (const bool is_built : {false, true}) {
    if (is_built) WaitUntilIndexed(*index);
    EXPECT_EQ(index->Stats().live, points.size());
    for (const Vector& query : Source(3).Take(30)) {
      const auto found = MustSearch(*index, query, Nearest(10));
      EXPECT_EQ(found.size(), 10U);
      ExpectTrueNeighbors(found, config_.metric, points, query);
    }
  }
}

TEST_F(IndexCheckpoints, AFaissIndexOfOtherSettingsIsRefused) {
  config_ = OfFaiss(Metric::kL2, "SQ8");
  const auto index = Make();
  PutAll(*index, Source(1).Take(500));
  WaitUntilIndexed(*index);
  Finish(Begin(*index));
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(OfFaiss(Metric::kL2, "SQ4")).status()));
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(OfFaiss(Metric::kCosine, "SQ8")).status()));
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(Config(Metric::kL2, Quantization::kSq8)).status()));
  EXPECT_TRUE(TryRestore(config_).ok());
}

TEST_F(IndexCheckpoints, ARestoredIndexGoesOnChanging) {
  auto index = Make();
  auto points = PutAll(*index, Source(1).Take(3'000));
  WaitUntilIndexed(*index);
  Finish(Begin(*index));
  index.reset();
  index = Restore();
  ChangeMost(*index, Source(2), points);
  WaitUntilIndexed(*index);
  EXPECT_EQ(index->Stats().live, points.size());
  size_t found_truly = 0;
  for (const Vector& query : Source(3).Take(50)) {
    const auto found = MustSearch(*index, query, NearestInGraph(10, 128));
    ExpectTrueNeighbors(found, config_.metric, points, query);
    const auto truth = TrueNearest(config_.metric, points, query, 10);
    ASSERT_EQ(found.size(), 10U);
    for (const Neighbor& neighbor : found) found_truly += neighbor.distance <= truth[9] + 1e-3;
  }
  EXPECT_GT(found_truly, 50U * 10 * 97 / 100);
}

TEST_F(IndexCheckpoints, WhatTheGraphHasNotTakenIsThereAndTakenLater) {
  auto index = Make();
  PutAll(*index, Source(1).Take(2'000));
  WaitUntilIndexed(*index);
  auto held = Begin(*index);  // While it lives, the graph takes nothing.
  VectorSource source = Source(4);
  for (Slot slot = 2'000; slot < 2'500; ++slot) ASSERT_TRUE(index->Put(slot, source.Next()).ok());
  EXPECT_EQ(index->Stats().unindexed, 500U);
  auto checkpoint = Begin(*index);
  held.reset();
  Finish(std::move(checkpoint));
  WaitUntilIndexed(*index);
  EXPECT_EQ(index->Stats().unindexed, 0U);
  const auto restored = Restore();
  EXPECT_EQ(restored->Stats().live, 2'500U);
  WaitUntilIndexed(*restored);
  EXPECT_EQ(restored->Stats().unindexed, 0U);
}

TEST_F(IndexCheckpoints, TheCheckpointHoldsTheMomentOfItsBeginning) {
  auto index = Make();
  auto points = PutAll(*index, Source(1).Take(3'000));
  WaitUntilIndexed(*index);
  auto checkpoint = Begin(*index);
  for (Slot slot = 0; slot < 100; ++slot) index->Remove(slot);
  VectorSource source = Source(5);
  for (Slot slot = 3'000; slot < 3'400; ++slot) ASSERT_TRUE(index->Put(slot, source.Next()).ok());
  Finish(std::move(checkpoint));
  const auto restored = Restore();
  EXPECT_EQ(restored->Stats().live, 3'000U);
  for (const Vector& query : Source(6).Take(20)) {
    ExpectTrueNeighbors(MustSearch(*restored, query, NearestInGraph(10, 64)), config_.metric,
                        points, query);
  }
}

TEST_F(IndexCheckpoints, ASlotWhoseVectorIsGoneFromTheFileIsMissing) {
  {
    const auto index = Make();
    PutAll(*index, Source(1).Take(2'000));
    WaitUntilIndexed(*index);
    Finish(Begin(*index));
  }
  const size_t row_bytes = 48 * sizeof(float);  // 40 floats, padded to cache lines.
  std::fstream vectors(directory_ / "vectors", std::ios::in | std::ios::out | std::ios::binary);
  vectors.seekp(static_cast<std::streamoff>(7 * row_bytes + 5));
  vectors.put('x');
  vectors.close();
  const auto restored = Restore();
  EXPECT_EQ(restored->Stats().live, 1'999U);
  EXPECT_EQ(restored->Slots().Count(), 1'999U);
  const Vector again = Source(1).Next();
  ASSERT_TRUE(restored->Put(7, again).ok());
  EXPECT_EQ(restored->Slots().Count(), 2'000U);
}

TEST_F(IndexCheckpoints, AnIndexOfOtherSettingsIsRefused) {
  const auto index = Make();
  PutAll(*index, Source(1).Take(100));
  WaitUntilIndexed(*index);
  Finish(Begin(*index));
  VectorConfig other = config_;
  other.dimension = kDim + 1;
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(other).status()));
  other = config_;
  other.metric = Metric::kCosine;
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(other).status()));
  other = config_;
  other.index = HnswConfig{.m = 17, .quantization = Quantization::kSq8};
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(other).status()));
  other.index = HnswConfig{.quantization = Quantization::kSq4};
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(other).status()));
  other.index = HnswConfig{.quantization = Quantization::kNone};
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(other).status()));
}

TEST_F(IndexCheckpoints, WhatAutoPickedComesBackWhateverItWouldPickNow) {
  config_ = Config(Metric::kCosine, Quantization::kAuto);
  config_.dimension = 256;
  VectorSource source(256, Metric::kCosine, 1);
  auto index = MakeVectorIndex(config_, {.folder = directory_.path(), .memory_bytes = 1});
  ASSERT_TRUE(index.ok()) << index.status();
  PutAll(**index, source.Take(600));
  WaitUntilIndexed(**index);
  EXPECT_EQ((*index)->Stats().quantization, Quantization::kRaBitQ);
  Finish(Begin(**index));
  const auto restored = Restore();  // Without a limit.
  EXPECT_EQ(restored->Stats().quantization, Quantization::kRaBitQ);
  EXPECT_EQ(restored->Stats().unindexed, 0U);
  VectorConfig other = config_;
  other.index = HnswConfig{.quantization = Quantization::kSq4};
  EXPECT_TRUE(absl::IsDataLoss(TryRestore(other).status()));
}

TEST_F(IndexCheckpoints, NoDamagedByteIsTakenForAnIndex) {
  {
    const auto index = Make();
    PutAll(*index, Source(1).Take(300));
    WaitUntilIndexed(*index);
    Finish(Begin(*index));
  }
  std::ifstream whole(file(), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(whole)), {});
  const auto rewrite = [&](const std::string& damaged) {
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << damaged;
  };
  std::mt19937 random(9);
  for (int i = 0; i < 300; ++i) {
    std::string damaged = bytes;
    damaged[random() % bytes.size()] ^= static_cast<char>(1 + random() % 255);
    rewrite(damaged);
    EXPECT_TRUE(absl::IsDataLoss(TryRestore(config_).status())) << i;
    rewrite(bytes.substr(0, random() % bytes.size()));
    EXPECT_TRUE(absl::IsDataLoss(TryRestore(config_).status())) << i;
  }
  rewrite(bytes);
  EXPECT_TRUE(TryRestore(config_).ok());
}

TEST_F(IndexCheckpoints, AnIndexInMemoryHasNone) {
  for (const IndexConfig& kind : {IndexConfig(FlatConfig{}), IndexConfig(HnswConfig{})}) {
    const auto index = MakeIndex(kind, Metric::kL2, kDim);
    const auto checkpoint = index->BeginCheckpoint();
    ASSERT_TRUE(checkpoint.ok());
    EXPECT_EQ(*checkpoint, nullptr);
  }
}

// Checkpoints are begun, written and restored while others put, remove and search.
class CheckpointsWhileServing : public IndexCheckpoints,
                                public testing::WithParamInterface<IndexConfig> {};

TEST_P(CheckpointsWhileServing, HoldWhatTheIndexHeld) {
  config_.index = GetParam();
  const auto index = Make();
  PutAll(*index, Source(1).Take(1'500));
  WaitUntilIndexed(*index);
  std::atomic<bool> stops = false;
  // A writer holds off its changes for the moment in which a checkpoint begins, as the engine does.
  std::mutex gate;
  std::jthread writer([&] {
    VectorSource source = Source(8);
    std::mt19937 random(8);
    while (!stops) {
      const std::lock_guard lock(gate);
      const Slot slot = random() % 3'000;
      if (random() % 4 == 0) {
        index->Remove(slot);
      } else {
        ASSERT_TRUE(index->Put(slot, source.Next()).ok());
      }
    }
  });
  std::jthread reader([&] {
    VectorSource source = Source(9);
    while (!stops) MustSearch(*index, source.Next(), NearestInGraph(10, 32));
  });
  for (int round = 0; round < 5; ++round) {
    absl::StatusOr<std::unique_ptr<IndexCheckpoint>> checkpoint;
    size_t live = 0;
    {
      const std::lock_guard lock(gate);
      live = index->Stats().live;
      checkpoint = index->BeginCheckpoint();
    }
    if (absl::IsUnavailable(checkpoint.status())) continue;
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    Finish(*std::move(checkpoint));
    std::error_code error;
    const TemporaryDirectory elsewhere;
    std::filesystem::copy(directory_.path(), elsewhere.path(),
                          std::filesystem::copy_options::recursive, error);
    auto in = ChecksummedReader::Open(elsewhere / "checkpoint", kTitle);
    ASSERT_TRUE(in.ok()) << in.status();
    const auto restored = RestoreVectorIndex(config_, {.folder = elsewhere.path()}, *in);
    ASSERT_TRUE(restored.ok()) << restored.status();
    // Vectors that were replaced since are gone from the file, or still there.
    EXPECT_LE((*restored)->Stats().live, live);
    EXPECT_GT((*restored)->Stats().live, live / 4);
  }
  stops = true;
}

INSTANTIATE_TEST_SUITE_P(EveryKind, CheckpointsWhileServing,
                         testing::Values(FlatConfig{},
                                         HnswConfig{.quantization = Quantization::kNone},
                                         FaissConfig{.factory = "SQ8"},
                                         HnswConfig{.quantization = Quantization::kSq8},
                                         HnswConfig{.quantization = Quantization::kSq4},
                                         IvfConfig{.encoding = IvfEncoding::kFlat},
                                         HnswConfig{.quantization = Quantization::kRaBitQ},
                                         IvfConfig{.encoding = IvfEncoding::kPq4},
                                         IvfConfig{.encoding = IvfEncoding::kPq8}));

}  // namespace
}  // namespace vettore
