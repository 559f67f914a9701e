#include "storage/recovery.h"

#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <string>

#include "absl/strings/escaping.h"
#include "base/file.h"
#include "gtest/gtest.h"
#include "storage/rocks_status.h"
#include "storage/store_testing.h"

namespace vettore {
namespace {

using namespace storage_testing;  // NOLINT: the vocabulary of these tests.
using absl::StatusCode;

constexpr uint64_t kPoints = 50;

std::map<std::string, uintmax_t> FileSizes(const std::filesystem::path& directory) {
  std::map<std::string, uintmax_t> sizes;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    sizes[entry.path().filename()] = entry.file_size();
  }
  return sizes;
}

// A data directory of kPoints durable points, closed; what kind of files hold them is up to the
// test.
class DamagedStore : public testing::Test {
 protected:
  enum class Place { kLog, kTables };
  void Fill(Place place) {
    auto store = OpenOrDie(data_dir_);
    for (uint64_t seq = 1; seq <= kPoints; ++seq) ASSERT_THAT(CommitPoint(*store, seq), IsOk());
    store.reset();
    if (place == Place::kTables) OpenOrDie(data_dir_).reset();  // Recovery writes the log out.
  }
  // A damaged copy, for tests with many damages.
  std::filesystem::path CopyOf() const {
    const std::filesystem::path copy = dir_ / "copy";
    std::filesystem::remove_all(copy);
    std::filesystem::copy(data_dir_, copy, std::filesystem::copy_options::recursive);
    return copy;
  }
  std::filesystem::path LargestLog(const std::filesystem::path& data_dir) const {
    std::filesystem::path largest;
    for (const auto& log : FilesOf(data_dir / "rocksdb", ".log")) {
      if (largest.empty() || file_size(log) > file_size(largest)) largest = log;
    }
    return largest;
  }
  absl::Status OpenStatus() const { return Store::Open(OptionsFor(data_dir_)).status(); }
  std::unique_ptr<Store> OpenAcceptingLoss() const {
    StoreOptions options = OptionsFor(data_dir_);
    options.accept_data_loss = true;
    return OpenOrDie(options);
  }

  const TemporaryDirectory dir_;
  const std::filesystem::path data_dir_ = dir_ / "data";
};

TEST_F(DamagedStore, ALogCutBelowTheWatermarkIsRefusedUntouchedUntilTheLossIsAccepted) {
  Fill(Place::kLog);
  const std::filesystem::path log = LargestLog(data_dir_);
  std::filesystem::resize_file(log, file_size(log) / 2);
  const auto before = FileSizes(data_dir_ / "rocksdb");
  EXPECT_THAT(OpenStatus(),
              FailsWith(StatusCode::kDataLoss, "commit 50 was durable, the last one"));
  EXPECT_THAT(OpenStatus(), FailsWith(StatusCode::kDataLoss, "start with --accept-data-loss"));
  EXPECT_EQ(FileSizes(data_dir_ / "rocksdb"), before);

  uint64_t left = 0;
  {
    const auto store = OpenAcceptingLoss();
    left = WholePoints(*store, kPoints).size();
    EXPECT_GT(left, 5u);
    EXPECT_LT(left, kPoints);
    EXPECT_THAT(CommitPoint(*store, left + 1), IsOk());
  }
  EXPECT_EQ(WholePoints(*OpenOrDie(data_dir_), kPoints).size(), left + 1);
}

TEST_F(DamagedStore, NoFlippedByteOfTheLogIsSilent) {
  Fill(Place::kLog);
  const uint64_t size = file_size(LargestLog(data_dir_));
  const unsigned seed = 11;
  std::mt19937 random(seed);
  int refused = 0;
  for (int i = 0; i < 40; ++i) {
    const std::filesystem::path copy = CopyOf();
    const uint64_t offset = random() % size;
    SCOPED_TRACE(testing::Message() << "seed " << seed << " offset " << offset);
    FlipByte(LargestLog(copy), offset);
    const auto store = Store::Open(OptionsFor(copy));
    if (store.ok()) {
      EXPECT_EQ(WholePoints(**store, kPoints).size(), kPoints);
    } else {
      EXPECT_EQ(store.status().code(), StatusCode::kDataLoss) << store.status();
      ++refused;
    }
  }
  EXPECT_GT(refused, 25);
}

TEST_F(DamagedStore, NoFlippedByteOfTheManifestIsSilent) {
  Fill(Place::kTables);
  const unsigned seed = 12;
  std::mt19937 random(seed);
  std::filesystem::path manifest;
  for (const auto& entry : std::filesystem::directory_iterator(data_dir_ / "rocksdb")) {
    if (entry.path().filename().string().starts_with("MANIFEST")) manifest = entry.path();
  }
  ASSERT_FALSE(manifest.empty());
  const uint64_t size = file_size(manifest);
  int refused = 0;
  for (int i = 0; i < 30; ++i) {
    const std::filesystem::path copy = CopyOf();
    const uint64_t offset = random() % size;
    SCOPED_TRACE(testing::Message() << "seed " << seed << " offset " << offset);
    FlipByte(copy / "rocksdb" / manifest.filename(), offset);
    const auto store = Store::Open(OptionsFor(copy));
    if (store.ok()) {
      EXPECT_EQ(WholePoints(**store, kPoints).size(), kPoints);
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, 15);
}

TEST_F(DamagedStore, AFlippedByteOfATableIsDataLossOrHarmless) {
  Fill(Place::kTables);
  std::vector<std::filesystem::path> tables = FilesOf(data_dir_ / "rocksdb", ".sst");
  ASSERT_GE(tables.size(), 5u);
  for (const std::filesystem::path& table : tables) {
    const std::filesystem::path copy = CopyOf();
    FlipByte(copy / "rocksdb" / table.filename(), 20);  // Within the first data block.
    const auto store = Store::Open(OptionsFor(copy));
    if (!store.ok()) {
      EXPECT_EQ(store.status().code(), StatusCode::kDataLoss) << store.status();
      continue;
    }
    uint64_t points = 0;
    uint64_t vectors = 0;
    const absl::Status read_points = (*store)->ForEachPoint(kShard, [&](Slot, const PointRecord&) {
      ++points;
      return absl::OkStatus();
    });
    const absl::Status read_vectors =
        (*store)->ForEachVector(kShard, kVector, [&](Slot, std::span<const float>) {
          ++vectors;
          return absl::OkStatus();
        });
    EXPECT_TRUE(read_points.ok() ? points == kPoints : absl::IsDataLoss(read_points))
        << read_points;
    EXPECT_TRUE(read_vectors.ok() ? vectors == kPoints : absl::IsDataLoss(read_vectors))
        << read_vectors;
  }
}

// weaviate 12435: a lost store was served as an empty one.
TEST_F(DamagedStore, AMissingDatabaseIsNeverServedAsAnEmptyOne) {
  Fill(Place::kTables);
  std::filesystem::rename(data_dir_ / "rocksdb/CURRENT", data_dir_ / "rocksdb/elsewhere");
  EXPECT_THAT(OpenStatus(), FailsWith(StatusCode::kDataLoss, "CURRENT is missing"));
  std::filesystem::rename(data_dir_ / "rocksdb/elsewhere", data_dir_ / "rocksdb/CURRENT");
  std::filesystem::rename(data_dir_ / "rocksdb", dir_ / "elsewhere");
  EXPECT_THAT(OpenStatus(), FailsWith(StatusCode::kDataLoss, "CURRENT is missing"));
  std::filesystem::rename(dir_ / "elsewhere", data_dir_ / "rocksdb");
  EXPECT_EQ(WholePoints(*OpenOrDie(data_dir_), kPoints).size(), kPoints);
}

TEST_F(DamagedStore, AMissingOrDamagedWatermarkIsRefusedUntilAccepted) {
  Fill(Place::kLog);
  std::filesystem::remove(data_dir_ / "WATERMARK");
  EXPECT_THAT(OpenStatus(), FailsWith(StatusCode::kDataLoss, "WATERMARK is missing"));
  std::ofstream(data_dir_ / "WATERMARK") << "not a watermark";
  EXPECT_THAT(OpenStatus(), FailsWith(StatusCode::kDataLoss, "neither"));
  { EXPECT_EQ(WholePoints(*OpenAcceptingLoss(), kPoints).size(), kPoints); }
  EXPECT_EQ(WholePoints(*OpenOrDie(data_dir_), kPoints).size(), kPoints);
}

TEST_F(DamagedStore, TheDatabaseOfAnotherDirectoryIsRefusedUntilAccepted) {
  Fill(Place::kTables);
  OpenOrDie(dir_ / "other").reset();
  std::filesystem::remove_all(dir_ / "other/rocksdb");
  std::filesystem::rename(data_dir_ / "rocksdb", dir_ / "other/rocksdb");
  std::filesystem::rename(dir_ / "other", data_dir_ / "other");
  StoreOptions options = OptionsFor(data_dir_ / "other");
  EXPECT_THAT(Store::Open(options).status(), FailsWith(StatusCode::kDataLoss, "belongs to"));
  options.accept_data_loss = true;
  { EXPECT_EQ(WholePoints(*OpenOrDie(options), kPoints).size(), kPoints); }
  options.accept_data_loss = false;
  EXPECT_EQ(WholePoints(*OpenOrDie(options), kPoints).size(), kPoints);
}

TEST_F(DamagedStore, ADamagedRecordIsDataLossThatNamesItsFamilyAndKey) {
  struct Case {
    ColumnFamily family;
    std::string key;
    std::function<absl::Status(const Store&)> read;
  };
  const std::vector<Slot> slot = {1};
  const auto any = [](auto&&...) { return absl::OkStatus(); };
  const std::vector<Case> cases = {
      {ColumnFamily::kMeta, "m", [](const Store& store) { return store.GetMeta("m").status(); }},
      {ColumnFamily::kMeta, "m", [](const Store& store) { return store.ListMeta("").status(); }},
      {ColumnFamily::kShards, ShardPrefix(kShard),
       [](const Store& store) { return store.AppliedPosition(kShard).status(); }},
      {ColumnFamily::kPoints, PointKey(kShard, 1),
       [&](const Store& store) { return store.GetPoints(kShard, slot).status(); }},
      {ColumnFamily::kPoints, PointKey(kShard, 1),
       [&](const Store& store) { return store.ForEachPoint(kShard, any); }},
      {ColumnFamily::kIds, IdKey(kShard, PointId(1)),
       [](const Store& store) {
         return store.ForEachId(kShard, nullptr, [](const PointId&, Slot) { return true; });
       }},
      {ColumnFamily::kVectors, VectorKey(kShard, kVector, 1),
       [&](const Store& store) { return store.GetVectors(kShard, kVector, slot).status(); }},
      {ColumnFamily::kVectors, VectorKey(kShard, kVector, 1),
       [&](const Store& store) { return store.ForEachVector(kShard, kVector, any); }},
      {ColumnFamily::kProducers, ProducerKey(kShard, "p"),
       [&](const Store& store) { return store.ForEachProducer(kShard, any); }},
      {ColumnFamily::kOps, OpsKey(kShard, {.epoch = 1, .seq = 1}),
       [&](const Store& store) { return store.ForEachOps(kShard, {}, any); }},
      {ColumnFamily::kPoints, ShardPrefix(kShard) + "x",
       [&](const Store& store) { return store.ForEachPoint(kShard, any); }},
  };
  for (const Case& damaged : cases) {
    const std::string name(RowOf(damaged.family).name);
    SCOPED_TRACE(name);
    std::filesystem::remove_all(data_dir_);
    { ASSERT_THAT(CommitPoint(*OpenOrDie(data_dir_), 1), IsOk()); }
    PutBehindTheStore(data_dir_, damaged.family, damaged.key, "\x09");
    const auto store = OpenOrDie(data_dir_);
    EXPECT_THAT(damaged.read(*store), FailsWith(StatusCode::kDataLoss, "'" + name + "'"));
    EXPECT_THAT(damaged.read(*store),
                FailsWith(StatusCode::kDataLoss, absl::BytesToHexString(damaged.key)));
  }
  PutBehindTheStore(data_dir_, ColumnFamily::kStore, std::string(kCommitKey), "");
  EXPECT_THAT(OpenStatus(), FailsWith(StatusCode::kDataLoss, "'default'"));
}

}  // namespace
}  // namespace vettore
