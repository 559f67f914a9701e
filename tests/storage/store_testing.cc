#include "storage/store_testing.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "base/status.h"
#include "gtest/gtest.h"

extern char** environ;

namespace vettore::storage_testing {
namespace {

constexpr char kDataDirVariable[] = "VETTORE_TEST_CHILD_DATA_DIR";

}  // namespace

SmallDisk::SmallDisk(size_t size_bytes) {
  const std::string options = "size=" + std::to_string(size_bytes);
  mounted_ = mount("tmpfs", path().c_str(), "tmpfs", 0, options.c_str()) == 0;
}

SmallDisk::~SmallDisk() {
  if (mounted_) umount2(path().c_str(), MNT_DETACH);
}

bool SmallDisk::RemountReadOnly() const {
  return mount(nullptr, path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0;
}

void SmallDisk::FillUpTo(uint64_t free_bytes) const {
  RemoveFill();
  Fill("fill.bin", free_bytes);
}

void SmallDisk::FillRest() const { Fill("rest.bin", 0); }

void SmallDisk::Fill(std::string_view name, uint64_t free_bytes) const {
  struct statvfs info;
  VETTORE_CHECK(statvfs(path().c_str(), &info) == 0);
  const uint64_t available = info.f_bavail * info.f_bsize;
  if (available <= free_bytes) return;
  const int fd = open((path() / name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  VETTORE_CHECK(fd >= 0);
  // Not checked: the store may be writing at the same time.
  (void)posix_fallocate(fd, 0, static_cast<off_t>(available - free_bytes));
  close(fd);
}

void SmallDisk::RemoveFill() const {
  std::filesystem::remove(path() / "fill.bin");
  std::filesystem::remove(path() / "rest.bin");
}

ChildTest::ChildTest(const std::string& test, const std::filesystem::path& data_dir) {
  int ends[2];
  VETTORE_CHECK(pipe2(ends, O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 3);
  const std::string filter = "--gtest_filter=" + test;
  const std::string variable = StrCat(kDataDirVariable, "=", data_dir.string());
  const char* const arguments[] = {"/proc/self/exe", filter.c_str(),
                                   "--gtest_also_run_disabled_tests", nullptr};
  std::vector<char*> environment = {const_cast<char*>(variable.c_str())};
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  environment.push_back(nullptr);
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  VETTORE_CHECK(posix_spawn(&pid_, self.c_str(), &actions, nullptr,
                            const_cast<char* const*>(arguments), environment.data()) == 0);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  out_ = ends[0];
}

ChildTest::~ChildTest() {
  Kill();
  close(out_);
}

std::string ChildTest::ReadLine() {
  while (true) {
    if (const size_t end = buffer_.find('\n'); end != std::string::npos) {
      const std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    char bytes[4096];
    const ssize_t got = read(out_, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return {};
    buffer_.append(bytes, static_cast<size_t>(got));
  }
}

void ChildTest::Kill() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::filesystem::path ChildDataDir() {
  const char* value = std::getenv(kDataDirVariable);
  return value == nullptr ? "" : value;
}

void TellParent(const std::string& line) {
  const std::string text = line + "\n";
  VETTORE_CHECK(write(3, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

StoreOptions OptionsFor(const std::filesystem::path& data_dir) {
  StoreOptions options;
  options.data_dir = data_dir;
  options.block_cache_bytes = 8 << 20;
  options.write_buffer_bytes = 4 << 20;
  options.min_free_bytes = 0;
  return options;
}

std::unique_ptr<Store> OpenOrDie(const StoreOptions& options) {
  absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(options);
  EXPECT_TRUE(store.ok()) << store.status();
  if (!store.ok()) std::abort();
  return *std::move(store);
}

std::unique_ptr<ShardBatch> PointBatch(Store& store, uint64_t seq, ShardKey shard) {
  auto batch = store.NewBatch(shard);
  const Slot slot = static_cast<Slot>(seq);
  const PointRecord point = {
      .id = PointId(seq), .version = seq, .payload = "p" + std::to_string(seq)};
  const float vector[] = {static_cast<float>(seq), 0.5f};
  const Op op = {.kind = OpKind::kUpsert, .id = PointId(seq), .slot = slot};
  batch->PutPoint(slot, point);
  batch->PutVector(slot, kVector, vector);
  batch->AppendOps({.epoch = 1, .seq = seq}, {&op, 1});
  return batch;
}

absl::Status CommitPoint(Store& store, uint64_t seq, Durability durability, ShardKey shard) {
  std::vector<std::unique_ptr<ShardBatch>> batches;
  batches.push_back(PointBatch(store, seq, shard));
  return store.Commit(std::move(batches), durability);
}

std::vector<uint64_t> WholePoints(const Store& store, uint64_t last, ShardKey shard) {
  std::vector<Slot> slots;
  for (uint64_t seq = 1; seq <= last; ++seq) slots.push_back(static_cast<Slot>(seq));
  const auto points = store.GetPoints(shard, slots);
  const auto vectors = store.GetVectors(shard, kVector, slots);
  EXPECT_THAT(points.status(), IsOk());
  EXPECT_THAT(vectors.status(), IsOk());
  std::vector<uint64_t> ids;
  EXPECT_THAT(store.ForEachId(shard, nullptr,
                              [&](const PointId& id, Slot slot) {
                                EXPECT_EQ(id.number(), slot);
                                ids.push_back(id.number());
                                return true;
                              }),
              IsOk());
  std::vector<uint64_t> ops;
  EXPECT_THAT(store.ForEachOps(shard, Position(),
                               [&](Position position, std::span<const Op>) {
                                 ops.push_back(position.seq);
                                 return absl::OkStatus();
                               }),
              IsOk());
  std::vector<uint64_t> whole;
  for (uint64_t seq = 1; seq <= last; ++seq) {
    const auto& point = (*points)[seq - 1];
    const auto& vector = (*vectors)[seq - 1];
    EXPECT_EQ(point.has_value(), !vector.empty()) << seq;
    if (!point) continue;
    EXPECT_EQ(point->payload, "p" + std::to_string(seq));
    EXPECT_EQ(vector, (std::vector<float>{static_cast<float>(seq), 0.5f}));
    whole.push_back(seq);
  }
  EXPECT_EQ(ids, whole);
  EXPECT_EQ(ops, whole);
  EXPECT_EQ(store.AppliedPosition(shard)->seq, whole.empty() ? 0 : whole.back());
  return whole;
}

std::vector<std::filesystem::path> FilesOf(const std::filesystem::path& directory,
                                           std::string_view extension) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void PutBehindTheStore(const std::filesystem::path& data_dir, ColumnFamily family,
                       const std::string& key, const std::string& value) {
  auto database = RocksDatabase::Open({.path = data_dir / "rocksdb",
                                       .block_cache_bytes = 1 << 20,
                                       .write_buffer_bytes = 1 << 20,
                                       .env = rocksdb::Env::Default()},
                                      RocksDatabase::Mode::kReadWrite,
                                      RocksDatabase::LogReading::kTornTailOnly);
  ASSERT_THAT(database.status(), IsOk());
  rocksdb::WriteOptions options;
  options.sync = true;
  ASSERT_TRUE((*database)->db().Put(options, (*database)->handle(family), key, value).ok());
}

void FlipByte(const std::filesystem::path& file, uint64_t offset) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(offset));
  const char byte = static_cast<char>(stream.get());
  stream.seekp(static_cast<std::streamoff>(offset));
  stream.put(static_cast<char>(byte ^ 0x40));
  VETTORE_CHECK(stream.good());
}

}  // namespace vettore::storage_testing
