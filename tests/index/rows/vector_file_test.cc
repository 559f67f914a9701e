// The file of vectors behind an index.
#include "index/rows/vector_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "index/rows/row_store.h"
#include "index/test_data.h"
#include "support/temporary_directory.h"

namespace vettore {
namespace {

constexpr size_t kDim = 200;  // Rows are padded to 208 floats.

std::unique_ptr<VectorFile> CreateFile(const std::filesystem::path& path,
                                       Residence residence = Residence::kMapped) {
  auto file = VectorFile::Create(path, residence);
  EXPECT_TRUE(file.ok()) << file.status();
  return *std::move(file);
}

Vector VectorOf(Slot slot) {
  Vector vector(kDim);
  for (size_t i = 0; i < kDim; ++i) vector[i] = static_cast<float>(slot * kDim + i);
  return vector;
}

void PutSome(RowStore& rows, Slot from, Slot to) {
  for (Slot slot = from; slot < to; ++slot) {
    ASSERT_TRUE(rows.Put(slot, VectorOf(slot)).ok()) << slot;
  }
}

void ExpectAll(const RowStore& rows, Slot end) {
  for (Slot slot = 0; slot < end; ++slot) {
    const float* const found = rows.vector(rows.RowOf(slot));
    ASSERT_EQ(Vector(found, found + kDim), VectorOf(slot)) << slot;
  }
}

// While it stands, files do not grow past `size_bytes`, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(size_t size_bytes) : old_action_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_limit_);
    rlimit limit = old_limit_;
    limit.rlim_cur = size_bytes;
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_limit_);
    std::signal(SIGXFSZ, old_action_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*const old_action_)(int);
  rlimit old_limit_;
};

TEST(VectorFile, WhatIsPutIsReadFromTheFileAndNotKeptInMemory) {
  const TemporaryDirectory directory;
  RowStore rows(kDim, CreateFile(directory.path() / "vectors"));
  constexpr Slot kCount = 20'000;  // Several chunks.
  PutSome(rows, 0, kCount);
  ExpectAll(rows, kCount);
  EXPECT_EQ(rows.mapped_bytes(), kCount * 208 * sizeof(float));
  EXPECT_LT(rows.memory_bytes(), kCount * kDim);

  std::ifstream file(directory.path() / "vectors", std::ios::binary);
  file.seekg(10'001 * 208 * sizeof(float));
  Vector stored(kDim);
  file.read(reinterpret_cast<char*>(stored.data()), kDim * sizeof(float));
  EXPECT_EQ(stored, VectorOf(10'001));
}

TEST(VectorFile, AChunkThatTheDiskDoesNotTakeMovesToMemory) {
  const TemporaryDirectory directory;
  RowStore rows(kDim, CreateFile(directory.path() / "vectors"));
  PutSome(rows, 0, 3'000);
  EXPECT_LT(rows.memory_bytes(), 3'000 * kDim);
  {
    // In the midst of the first chunk, which the file has room for already.
    const FileSizeLimit limit(3'000 * 208 * sizeof(float) + 100);
    PutSome(rows, 3'000, 20'000);
  }
  ExpectAll(rows, 20'000);
  EXPECT_GT(rows.memory_bytes(), 20'000 * kDim * sizeof(float));
  EXPECT_TRUE(absl::IsUnavailable(rows.CheckFile()));
  EXPECT_TRUE(absl::IsUnavailable(rows.SyncFile()));
}

TEST(VectorFile, VectorsInMemoryAreInTheFileTooAndComeBackFromIt) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "vectors";
  constexpr Slot kCount = 12'000;  // Several chunks, the last of them not full.
  std::vector<RowStore::Stamp> stamps;
  {
    RowStore rows(kDim, CreateFile(path, Residence::kMemory));
    PutSome(rows, 0, kCount);
    ExpectAll(rows, kCount);
    EXPECT_EQ(rows.mapped_bytes(), 0U);
    EXPECT_GT(rows.memory_bytes(), kCount * 208 * sizeof(float));
    EXPECT_TRUE(rows.SyncFile().ok());
    stamps = rows.Stamps();
  }
  RowStore rows(kDim, *VectorFile::Open(path, Residence::kMemory));
  ASSERT_TRUE(rows.Restore(stamps).ok());
  EXPECT_EQ(rows.live(), kCount);
  ExpectAll(rows, kCount);
  PutSome(rows, kCount, kCount + 100);
  ExpectAll(rows, kCount + 100);
  EXPECT_TRUE(rows.CheckFile().ok());
}

TEST(VectorFile, WhatTheDiskDoesNotTakeStaysInMemoryWhereItIs) {
  const TemporaryDirectory directory;
  RowStore rows(kDim, CreateFile(directory.path() / "vectors", Residence::kMemory));
  PutSome(rows, 0, 3'000);
  {
    const FileSizeLimit limit(3'000 * 208 * sizeof(float) + 100);
    PutSome(rows, 3'000, 12'000);
  }
  ExpectAll(rows, 12'000);
  EXPECT_TRUE(absl::IsUnavailable(rows.CheckFile()));
}

// Chunks of wide rows began in the midst of a page, where no file can be mapped.
TEST(VectorFile, WideRowsAreMappedToo) {
  constexpr size_t kWide = 40'016;
  const TemporaryDirectory directory;
  RowStore rows(kWide, CreateFile(directory.path() / "vectors"));
  for (Slot slot = 0; slot < 200; ++slot) {
    ASSERT_TRUE(rows.Put(slot, Vector(kWide, static_cast<float>(slot))).ok());
  }
  EXPECT_TRUE(rows.CheckFile().ok());
  for (Slot slot = 0; slot < 200; ++slot) {
    EXPECT_EQ(rows.vector(rows.RowOf(slot))[kWide - 1], static_cast<float>(slot));
  }
}

TEST(VectorFile, ANewFileLeavesTheOldOneToWhoMapsIt) {
  const TemporaryDirectory directory;
  RowStore old_rows(kDim, CreateFile(directory.path() / "vectors"));
  PutSome(old_rows, 0, 100);
  const RowStore new_rows(kDim, CreateFile(directory.path() / "vectors"));
  ExpectAll(old_rows, 100);
}

TEST(VectorFile, AFolderThatIsNotThereIsAnError) {
  const auto file = VectorFile::Create("/nowhere/vectors", Residence::kMapped);
  EXPECT_TRUE(absl::IsNotFound(file.status())) << file.status();
}

}  // namespace
}  // namespace vettore
