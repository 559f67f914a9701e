#include "storage/data_directory.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "base/file.h"
#include "gtest/gtest.h"
#include "storage/free_space.h"
#include "storage/store_testing.h"

namespace vettore {
namespace {

using namespace storage_testing;  // NOLINT: the vocabulary of these tests.
using absl::StatusCode;

absl::Status OpenStatus(const std::filesystem::path& data_dir) {
  return Store::Open(OptionsFor(data_dir)).status();
}

TEST(StoreChild, DISABLED_HoldsTheDirectory) {
  const auto store = OpenOrDie(ChildDataDir());
  ASSERT_THAT(CommitPoint(*store, 1), IsOk());
  TellParent("open");
  pause();
}

TEST(DataDirectory, ASecondProcessIsRefusedWithThePidOfTheFirst) {
  const TemporaryDirectory dir;
  ChildTest child("StoreChild.DISABLED_HoldsTheDirectory", dir.path());
  ASSERT_EQ(child.ReadLine(), "open");
  const std::string pid = "pid " + std::to_string(child.pid()) + " host ";
  EXPECT_THAT(OpenStatus(dir.path()), FailsWith(StatusCode::kFailedPrecondition, pid));
  EXPECT_THAT(OpenStatus(dir.path()), FailsWith(StatusCode::kFailedPrecondition, "stop it"));
  child.Kill();
  // The lock file of the dead process is still there and keeps nobody out.
  EXPECT_TRUE(std::filesystem::exists(dir / "LOCK"));
  EXPECT_EQ(WholePoints(*OpenOrDie(dir.path()), 3), (std::vector<uint64_t>{1}));
}

TEST(DataDirectory, ASecondOpenByTheSameProcessIsRefused) {
  const TemporaryDirectory dir;
  const auto store = OpenOrDie(dir.path());
  EXPECT_THAT(OpenStatus(dir.path()), FailsWith(StatusCode::kFailedPrecondition, "in use"));
}

TEST(DataDirectory, FormatSaysWhatItIs) {
  const TemporaryDirectory dir;
  { OpenOrDie(dir / "deep/er"); }
  const std::string text = *ReadFile(dir / "deep/er/FORMAT", 4096);
  EXPECT_TRUE(text.starts_with("vettore data directory\nformat: 1\nuuid: ")) << text;
  { OpenOrDie(dir / "deep/er"); }
  EXPECT_EQ(*ReadFile(dir / "deep/er/FORMAT", 4096), text);
}

TEST(DataDirectory, ANewerFormatIsRefusedUntouched) {
  const TemporaryDirectory dir;
  { OpenOrDie(dir.path()); }
  const std::string newer = "vettore data directory\nformat: 2\nshape: unknown\n";
  ASSERT_THAT(WriteFileAtomically(dir / "FORMAT", newer), IsOk());
  EXPECT_THAT(OpenStatus(dir.path()),
              FailsWith(StatusCode::kFailedPrecondition, "has format 2, this version"));
  EXPECT_EQ(*ReadFile(dir / "FORMAT", 4096), newer);
}

TEST(DataDirectory, ADamagedFormatIsDataLoss) {
  const TemporaryDirectory dir;
  { OpenOrDie(dir.path()); }
  for (const std::string text :
       {"", "\n", "something else", "vettore data directory\nformat: 0\n",
        "vettore data directory\nformat: 1\nuuid: 12\n", "vettore data directory\n"}) {
    ASSERT_THAT(WriteFileAtomically(dir / "FORMAT", text), IsOk());
    EXPECT_THAT(OpenStatus(dir.path()), FailsWith(StatusCode::kDataLoss, "FORMAT")) << text;
  }
  ASSERT_THAT(WriteFileAtomically(dir / "FORMAT", std::string(100'000, 'x')), IsOk());
  EXPECT_THAT(OpenStatus(dir.path()), FailsWith(StatusCode::kDataLoss, "FORMAT"));
}

TEST(DataDirectory, AMissingFormatBesideDataIsDataLoss) {
  const TemporaryDirectory dir;
  { OpenOrDie(dir.path()); }
  std::filesystem::remove(dir / "FORMAT");
  EXPECT_THAT(OpenStatus(dir.path()), FailsWith(StatusCode::kDataLoss, "no FORMAT"));
}

TEST(DataDirectory, ForeignFilesAreNotMixedWithOurs) {
  const TemporaryDirectory dir;
  std::ofstream(dir / "thesis.tex") << "mine";
  EXPECT_THAT(OpenStatus(dir.path()), FailsWith(StatusCode::kFailedPrecondition, "thesis.tex"));
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    EXPECT_EQ(entry.path().filename(), "thesis.tex");
  }
  EXPECT_THAT(OpenStatus(dir / "thesis.tex"),
              FailsWith(StatusCode::kFailedPrecondition, "is a file"));
}

// qdrant 2231, weaviate 1703: a temporary file that a killed process left kept the server from
// starting.
TEST(DataDirectory, LeftoverTemporaryFilesDoNotBlockAStart) {
  const TemporaryDirectory dir;
  const auto leave_files = [&] {
    for (const std::string_view name :
         {std::string_view("FORMAT.tmp"), std::string_view("LOCK"), kProbeFileName}) {
      std::ofstream(dir / name) << "half a fi";
    }
  };
  leave_files();
  std::filesystem::create_directory(dir / "lost+found");
  { ASSERT_THAT(CommitPoint(*OpenOrDie(dir.path()), 1), IsOk()); }
  leave_files();
  std::ofstream(dir / "WATERMARK.tmp") << "half";
  EXPECT_EQ(WholePoints(*OpenOrDie(dir.path()), 1).size(), 1u);
  EXPECT_FALSE(std::filesystem::exists(dir / kProbeFileName));
}

TEST(DataDirectory, AStartThatWasKilledBeforeTheDatabaseStoodIsRepeated) {
  const TemporaryDirectory dir;
  { OpenOrDie(dir.path()); }
  // Killed after FORMAT.
  std::filesystem::remove_all(dir / "rocksdb");
  std::filesystem::remove(dir / "WATERMARK");
  { OpenOrDie(dir.path()); }
  // Killed after the database, before WATERMARK.
  std::filesystem::remove(dir / "WATERMARK");
  { EXPECT_THAT(CommitPoint(*OpenOrDie(dir.path()), 1), IsOk()); }
  EXPECT_EQ(WholePoints(*OpenOrDie(dir.path()), 1).size(), 1u);
}

TEST(DataDirectory, AReadOnlyDirectoryIsPermissionDenied) {
  const SmallDisk disk(64 << 20);
  const TemporaryDirectory plain;
  std::filesystem::path data_dir = plain / "data";
  if (disk.is_mounted()) data_dir = disk.path() / "data";
  { OpenOrDie(data_dir); }
  if (disk.is_mounted()) {
    ASSERT_TRUE(disk.RemountReadOnly());
    EXPECT_THAT(OpenStatus(disk.path() / "new"), FailsWith(StatusCode::kPermissionDenied, "new"));
  } else {
    if (geteuid() == 0) GTEST_SKIP() << "root may write anywhere, and this root may not mount";
    chmod(data_dir.c_str(), 0555);
  }
  EXPECT_THAT(OpenStatus(data_dir), FailsWith(StatusCode::kPermissionDenied, "data"));
  if (!disk.is_mounted()) chmod(data_dir.c_str(), 0755);
}

TEST(FullDisk, AStartSaysSoAndNeverAborts) {
  const SmallDisk disk(96 << 20);
  if (!disk.is_mounted()) GTEST_SKIP() << "needs the right to mount a tmpfs";
  disk.FillUpTo(0);
  EXPECT_THAT(OpenStatus(disk.path() / "data"), FailsWith(StatusCode::kResourceExhausted, "data"));
  disk.RemoveFill();
  {
    const auto store = OpenOrDie(disk.path() / "data");
    for (uint64_t seq = 1; seq <= 100; ++seq) ASSERT_THAT(CommitPoint(*store, seq), IsOk());
  }
  // However little is left: refused with a status, or opened.
  for (uint64_t free_bytes = 0; free_bytes <= 14 << 20; free_bytes += 1 << 20) {
    disk.FillUpTo(free_bytes);
    const absl::Status status = OpenStatus(disk.path() / "data");
    if (free_bytes < 8 << 20) {
      EXPECT_THAT(status, FailsWith(StatusCode::kResourceExhausted, "free some space"));
    } else if (!status.ok()) {
      EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status;
    }
  }
  disk.RemoveFill();
  EXPECT_EQ(WholePoints(*OpenOrDie(disk.path() / "data"), 100).size(), 100u);
}

TEST(FullDisk, WritesStopBeforeItIsFullAndResumeByThemselves) {
  const SmallDisk disk(96 << 20);
  if (!disk.is_mounted()) GTEST_SKIP() << "needs the right to mount a tmpfs";
  StoreOptions options = OptionsFor(disk.path() / "data");
  options.min_free_bytes = 32 << 20;
  auto store = OpenOrDie(options);
  const std::vector<float> vector(16'000, 1.5f);
  uint64_t seq = 0;
  absl::Status status;
  while (status.ok() && seq < 10'000) {
    auto batch = PointBatch(*store, ++seq);
    batch->PutVector(static_cast<Slot>(seq), VectorOrdinal{1}, vector);
    std::vector<std::unique_ptr<ShardBatch>> batches;
    batches.push_back(std::move(batch));
    status = store->Commit(std::move(batches), Durability::kBuffered);
  }
  EXPECT_THAT(status, FailsWith(StatusCode::kResourceExhausted, "nearly full"));
  struct statvfs info;
  ASSERT_EQ(statvfs(disk.path().c_str(), &info), 0);
  EXPECT_GT(info.f_bavail * info.f_bsize, 8u << 20);
  EXPECT_EQ(WholePoints(*store, seq).size(), seq - 1);

  disk.FillUpTo(16 << 20);
  usleep(150'000);
  EXPECT_THAT(CommitPoint(*store, seq), FailsWith(StatusCode::kResourceExhausted, "nearly full"));
  // What frees space is still taken.
  EXPECT_THAT(store->ChangeMeta(std::vector<Store::MetaChange>{{"k", std::nullopt, "v"}}), IsOk());
  ASSERT_THAT(store->DropShard(kShard), IsOk());
  for (int i = 0; i < 200 && !CommitPoint(*store, 1).ok(); ++i) usleep(50'000);
  EXPECT_EQ(WholePoints(*store, seq).size(), 1u);
}

// rocksdb 11643, qdrant 4072: a disk filled by someone else took the process down, or the store
// never came back.
TEST(FullDisk, OneFilledByOthersFailsTheWriteAndNeverTheProcess) {
  const SmallDisk disk(96 << 20);
  if (!disk.is_mounted()) GTEST_SKIP() << "needs the right to mount a tmpfs";
  StoreOptions options = OptionsFor(disk.path() / "data");
  options.min_free_bytes = 8 << 20;
  options.write_buffer_bytes = 1 << 20;
  const std::vector<float> vector(8'000, 1.5f);
  uint64_t acknowledged = 0;
  int failed_within_rocksdb = 0;
  for (int round = 0; round < 4; ++round) {
    auto store = OpenOrDie(options);
    EXPECT_GE(WholePoints(*store, acknowledged).size(), acknowledged);
    acknowledged = store->AppliedPosition(kShard)->seq;
    const auto commit = [&](Durability durability) {
      auto batch = PointBatch(*store, acknowledged + 1);
      batch->PutVector(static_cast<Slot>(acknowledged % 100), VectorOrdinal{1}, vector);
      std::vector<std::unique_ptr<ShardBatch>> batches;
      batches.push_back(std::move(batch));
      const absl::Status status = store->Commit(std::move(batches), durability);
      acknowledged += status.ok();
      return status;
    };
    for (int i = 0; i < 40 * round; ++i) ASSERT_THAT(commit(Durability::kBuffered), IsOk());
    disk.FillUpTo(options.min_free_bytes + (1 << 20));
    usleep(110'000);
    absl::Status status =
        commit(Durability::kBuffered);  // The guard asks now, and trusts the answer for 100 ms.
    disk.FillRest();
    for (int i = 0; status.ok(); ++i)
      status = commit(i % 2 ? Durability::kBuffered : Durability::kDurable);
    EXPECT_THAT(status.code(),
                testing::AnyOf(StatusCode::kResourceExhausted, StatusCode::kUnavailable));
    failed_within_rocksdb += absl::IsUnavailable(CommitPoint(*store, acknowledged + 1));
    usleep(120'000);  // Background work and the syncer meet the full disk too.
    store.reset();
    disk.RemoveFill();
  }
  EXPECT_GT(failed_within_rocksdb, 0);
  EXPECT_GE(WholePoints(*OpenOrDie(options), acknowledged).size(), acknowledged);
}

}  // namespace
}  // namespace vettore
