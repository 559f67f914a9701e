// Collections that are opened from the checkpoints of their indexes.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <random>

#include "engine/test_database.h"

namespace vettore {
namespace {

constexpr size_t kDim = 24;

CollectionConfig GraphConfig() {
  return OneVector(kDim, Metric::kL2, HnswConfig{.quantization = Quantization::kSq8});
}

// A collection, and what it must hold.
class Checkpoints : public testing::Test {
 protected:
  Checkpoints() { EXPECT_TRUE(database_->Create(NameFor("c"), GraphConfig()).ok()); }

  Collection& collection() {
    held_ = *database_->Get(NameFor("c"));
    return *held_;
  }
  // Checkpoints are written when the last who uses a database lets go of it.
  void Reopen() {
    held_.reset();
    database_.Reopen();
  }
  std::vector<float> NextVector() {
    std::normal_distribution<float> normal;
    std::vector<float> vector(kDim);
    for (float& value : vector) value = normal(random_);
    return vector;
  }
  void UpsertRange(uint64_t from, uint64_t to) {
    std::vector<PointWrite> points;
    for (uint64_t id = from; id < to; ++id) {
      model_[id] = NextVector();
      points.push_back(MakePoint(PointId(id), model_[id]));
    }
    const auto written = Write(collection(), Upsert(std::move(points)));
    ASSERT_TRUE(written.ok()) << written.status();
  }
  void DeleteRange(uint64_t from, uint64_t to) {
    std::vector<PointId> ids;
    for (uint64_t id = from; id < to; ++id) {
      model_.erase(id);
      ids.emplace_back(id);
    }
    ASSERT_TRUE(Write(collection(), Delete(std::move(ids))).ok());
  }
  void AwaitGraph() { ASSERT_TRUE(collection().WaitUntilIndexed(CancelToken()).ok()); }
  VectorStatus IndexStatus() { return collection().Status().vectors[0]; }

  SearchResult SearchFor(const std::vector<float>& vector) {
    SearchRequest request;
    request.query = vector;
    request.k = 1;
    auto found = Search(collection(), request);
    EXPECT_TRUE(found.ok()) << found.status();
    return *std::move(found);
  }
  // Every point is found by its vector, and nothing else is.
  void ExpectModel() {
    EXPECT_EQ(IndexStatus().live, model_.size());
    size_t found = 0;
    for (const auto& [id, vector] : model_) {
      const SearchResult result = SearchFor(vector);
      ASSERT_EQ(result.points.size(), 1U);
      ASSERT_TRUE(model_.contains(result.points[0].point.id.number()));
      found += result.points[0].point.id == PointId(id) ? 1 : 0;
    }
    EXPECT_GE(found, model_.size() - model_.size() / 500);  // A graph may miss one.
  }
  std::filesystem::path folder() const {
    return database_.path() / "index" / (std::to_string(collections_) + "-0") / "0";
  }
  std::filesystem::path CheckpointFile() const {
    return std::filesystem::exists(folder() / "checkpoint-0") ? folder() / "checkpoint-0"
                                                              : folder() / "checkpoint-1";
  }

  int collections_ = 1;  // That there ever were; the last is "c".
  TestDatabase database_;
  std::shared_ptr<Collection> held_;
  std::map<uint64_t, std::vector<float>> model_;
  std::mt19937 random_{3};
};

TEST_F(Checkpoints, AReopenedCollectionHasItsGraphAtOnce) {
  UpsertRange(0, 4'000);
  AwaitGraph();
  Reopen();
  EXPECT_EQ(IndexStatus().unindexed, 0U);
  EXPECT_EQ(SearchFor(model_[7]).plan, "graph");
  ExpectModel();
}

// A vector file that is begun anew is another file.
uint64_t FileNumber(const std::filesystem::path& path) {
  struct stat info = {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_ino;
}

TEST_F(Checkpoints, EveryKindIsOpenedFromItsOwn) {
  const std::vector<IndexConfig> kinds = {
      FlatConfig{}, HnswConfig{.quantization = Quantization::kNone},
      HnswConfig{.quantization = Quantization::kSq8}, IvfConfig{.encoding = IvfEncoding::kPq8},
      FaissConfig{.factory = "SQ8"}};
  for (const IndexConfig& kind : kinds) {
    SCOPED_TRACE(KindOf(kind));
    held_.reset();
    ASSERT_TRUE(database_->Drop(NameFor("c")).ok());
    ASSERT_TRUE(database_->Create(NameFor("c"), OneVector(kDim, Metric::kL2, kind)).ok());
    ++collections_;
    model_.clear();
    UpsertRange(0, 3'000);
    AwaitGraph();
    Reopen();
    ASSERT_TRUE(std::filesystem::exists(CheckpointFile()));
    const uint64_t vectors = FileNumber(folder() / "vectors");
    DeleteRange(100, 200);
    UpsertRange(50, 150);
    Reopen();
    EXPECT_EQ(FileNumber(folder() / "vectors"), vectors);
    ExpectModel();
  }
}

TEST_F(Checkpoints, WhatWasWrittenAfterTheCheckpointIsCaughtUpWith) {
  UpsertRange(0, 4'000);
  AwaitGraph();
  Reopen();
  // Too little for another checkpoint: the old one counts.
  DeleteRange(100, 200);
  UpsertRange(50, 150);
  UpsertRange(4'000, 4'300);
  DeleteRange(4'100, 4'110);
  const auto written = std::filesystem::last_write_time(CheckpointFile());
  Reopen();
  EXPECT_EQ(std::filesystem::last_write_time(CheckpointFile()), written);
  EXPECT_LE(IndexStatus().unindexed, 400U);
  ExpectModel();
  Reopen();
  ExpectModel();
}

TEST_F(Checkpoints, ASecondCheckpointTakesThePlaceOfTheFirst) {
  UpsertRange(0, 3'000);
  AwaitGraph();
  Reopen();
  const std::filesystem::path first = CheckpointFile();
  UpsertRange(1'000, 6'000);
  DeleteRange(0, 500);
  AwaitGraph();
  Reopen();
  EXPECT_FALSE(std::filesystem::exists(first));
  EXPECT_TRUE(std::filesystem::exists(CheckpointFile()));
  EXPECT_EQ(IndexStatus().unindexed, 0U);
  ExpectModel();
}

TEST_F(Checkpoints, ADamagedFileIsPutAsideAndTheGraphBuiltAnew) {
  UpsertRange(0, 3'000);
  AwaitGraph();
  held_.reset();
  database_.Close();
  {
    std::fstream file(CheckpointFile(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100'000);
    file.put('?');
  }
  database_.Open();
  EXPECT_TRUE(std::filesystem::exists(folder() / "checkpoint-damaged"));
  ExpectModel();
  AwaitGraph();
  Reopen();  // A new one has been written.
  EXPECT_EQ(IndexStatus().unindexed, 0U);
  ExpectModel();
}

TEST_F(Checkpoints, AMissingFileIsNoLoss) {
  for (const char* const name : {"vectors", "checkpoint-0", "checkpoint-1"}) {
    UpsertRange(0, 3'000);
    AwaitGraph();
    Reopen();
    held_.reset();
    database_.Close();
    std::filesystem::remove(folder() / name);
    database_.Open();
    ExpectModel();
  }
}

// A file that is left behind by a restored backup of the records, or copied from elsewhere, is
// whole but says something else than they do.
TEST_F(Checkpoints, AFileThatTheRecordsDoNotNameIsNotBelieved) {
  UpsertRange(0, 3'000);
  AwaitGraph();
  Reopen();
  const std::filesystem::path other = database_.path() / "other";
  const std::filesystem::path first = CheckpointFile();
  std::filesystem::copy_file(first, other);
  UpsertRange(0, 3'000);
  AwaitGraph();
  held_.reset();
  database_.Close();
  std::filesystem::copy_file(other, CheckpointFile(),
                             std::filesystem::copy_options::overwrite_existing);
  database_.Open();
  EXPECT_TRUE(std::filesystem::exists(folder() / "checkpoint-damaged"));
  ExpectModel();
}

// As after SIGKILL: nothing is written at the end.
TEST_F(Checkpoints, ACrashAfterFurtherWritesLosesNothing) {
  UpsertRange(0, 4'000);
  AwaitGraph();
  Reopen();
  // Rows of the vector file are used again for other points than the checkpoint has there.
  for (int round = 0; round < 3; ++round) {
    DeleteRange(0, 1'500);
    UpsertRange(500, 2'000);
    AwaitGraph();
  }
  const TemporaryDirectory crashed;
  std::filesystem::copy(database_.path(), crashed / "data",
                        std::filesystem::copy_options::recursive);
  auto opened = Database::Open({.data_dir = crashed / "data"});
  ASSERT_TRUE(opened.ok()) << opened.status();
  held_ = *(*opened)->Get(NameFor("c"));
  EXPECT_EQ(held_->Status().vectors[0].live, model_.size());
  for (const auto& [id, vector] : model_) {
    SearchRequest request;
    request.query = vector;
    request.k = 1;
    request.exact = true;
    const auto found = Search(*held_, request);
    ASSERT_TRUE(found.ok()) << found.status();
    ASSERT_EQ(found->points.size(), 1U);
    ASSERT_EQ(found->points[0].point.id, PointId(id));
  }
}

TEST_F(Checkpoints, AreWrittenWhileTheDatabaseServes) {
  held_.reset();
  database_.Close();
  DatabaseOptions options{.data_dir = database_.path()};
  options.checkpoint_interval = absl::Milliseconds(20);
  {
    const auto opened = *Database::Open(options);
    const auto collection = *opened->Get(NameFor("c"));
    for (uint64_t from = 0; from < 24'000; from += 8'000) {
      std::vector<PointWrite> points;
      for (uint64_t id = from; id < from + 8'000; ++id) {
        model_[id] = NextVector();
        points.push_back(MakePoint(PointId(id), model_[id]));
      }
      ASSERT_TRUE(Write(*collection, Upsert(std::move(points))).ok());
    }
    ASSERT_TRUE(collection->WaitUntilIndexed(CancelToken()).ok());
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (!std::filesystem::exists(CheckpointFile()) && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(10));
    }
    EXPECT_TRUE(std::filesystem::exists(CheckpointFile()));
  }
}

TEST_F(Checkpoints, GoWithTheirCollection) {
  UpsertRange(0, 3'000);
  AwaitGraph();
  Reopen();
  EXPECT_TRUE(std::filesystem::exists(CheckpointFile()));
  held_.reset();
  ASSERT_TRUE(database_->Drop(NameFor("c")).ok());
  EXPECT_FALSE(std::filesystem::exists(folder()));
  ASSERT_TRUE(database_->Create(NameFor("c"), GraphConfig()).ok());
  model_.clear();
  UpsertRange(0, 100);
  Reopen();
  ExpectModel();
}

TEST_F(Checkpoints, ASmallCollectionHasNone) {
  UpsertRange(0, 300);
  AwaitGraph();
  Reopen();
  EXPECT_FALSE(std::filesystem::exists(CheckpointFile()));
  ExpectModel();
}

TEST(IndexMemory, ACollectionPicksItsCodesByIt) {
  constexpr uint32_t kManyDimensions = 256;
  const TemporaryDirectory directory;
  DatabaseOptions options;
  options.data_dir = directory.path() / "data";
  const auto picked = [](Collection& collection) {
    EXPECT_TRUE(collection.WaitUntilIndexed(CancelToken()).ok());
    return collection.Status().vectors[0].quantization;
  };
  {
    options.index_memory_bytes = 1;
    auto database = Database::Open(options);
    ASSERT_TRUE(database.ok()) << database.status();
    const auto collection =
        (*database)->Create(NameFor("c"), OneVector(kManyDimensions, Metric::kL2, HnswConfig{}));
    ASSERT_TRUE(collection.ok()) << collection.status();
    std::vector<PointWrite> points;
    for (uint64_t id = 0; id < 50; ++id) {
      points.push_back(
          MakePoint(PointId(id), std::vector<float>(kManyDimensions, static_cast<float>(id))));
    }
    ASSERT_TRUE(Write(**collection, Upsert(std::move(points))).ok());
    EXPECT_EQ(picked(**collection), Quantization::kRaBitQ);
  }
  // So few have no checkpoint: the graph begins anew, with room for more.
  options.index_memory_bytes = 0;
  auto database = Database::Open(options);
  ASSERT_TRUE(database.ok()) << database.status();
  EXPECT_EQ(picked(**(*database)->Get(NameFor("c"))), Quantization::kSq4);
}

}  // namespace
}  // namespace vettore
