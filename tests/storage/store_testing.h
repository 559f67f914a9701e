// What the tests of the store share: directories that go away, small batches, a second process, a
// small disk.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "storage/rocks_database.h"
#include "storage/store.h"
#include "support/temporary_directory.h"

namespace vettore::storage_testing {

inline constexpr ShardKey kShard{.collection = 7, .shard = 0};
inline constexpr VectorOrdinal kVector{0};

// A tmpfs of its own. is_mounted() is false where this process may not mount. Externally
// synchronised.
class SmallDisk {
 public:
  explicit SmallDisk(size_t size_bytes);
  ~SmallDisk();
  bool is_mounted() const { return mounted_; }
  bool RemountReadOnly() const;
  // Leaves `free_bytes` free, by a file; 0: fills it to the last page.
  void FillUpTo(uint64_t free_bytes) const;
  // Takes what is left, quickly; may follow FillUpTo.
  void FillRest() const;
  void RemoveFill() const;
  const std::filesystem::path& path() const { return directory_.path(); }

 private:
  void Fill(std::string_view name, uint64_t free_bytes) const;

  TemporaryDirectory directory_;
  bool mounted_ = false;
};

// A child that runs one DISABLED_ test of this same program, with its standard output as a pipe.
class ChildTest {
 public:
  // test: "Suite.DISABLED_Name". The child finds `data_dir` in ChildDataDir().
  ChildTest(const std::string& test, const std::filesystem::path& data_dir);
  ~ChildTest();
  // The next line, without its end; empty at the end.
  std::string ReadLine();
  void Kill();
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  std::string buffer_;
};
std::filesystem::path ChildDataDir();
// A line to the parent, past the buffers of stdio.
void TellParent(const std::string& line);

// Small buffers, no reserve: so that a test needs no large disk.
StoreOptions OptionsFor(const std::filesystem::path& data_dir);
// Fails the test when the store does not open.
std::unique_ptr<Store> OpenOrDie(const StoreOptions& options);
inline std::unique_ptr<Store> OpenOrDie(const std::filesystem::path& data_dir) {
  return OpenOrDie(OptionsFor(data_dir));
}

// A batch that upserts point `seq` at slot `seq` at position {1, seq}, with a vector {seq, 0.5} and
// payload "p<seq>".
std::unique_ptr<ShardBatch> PointBatch(Store& store, uint64_t seq, ShardKey shard = kShard);
absl::Status CommitPoint(Store& store, uint64_t seq, Durability durability = Durability::kDurable,
                         ShardKey shard = kShard);
// Which of points 1..last are there, each checked to be whole in every record.
std::vector<uint64_t> WholePoints(const Store& store, uint64_t last, ShardKey shard = kShard);

std::vector<std::filesystem::path> FilesOf(const std::filesystem::path& directory,
                                           std::string_view extension);
// Puts a record into the database of a closed store.
void PutBehindTheStore(const std::filesystem::path& data_dir, ColumnFamily family,
                       const std::string& key, const std::string& value);
void FlipByte(const std::filesystem::path& file, uint64_t offset);

MATCHER_P2(FailsWith, code, text, "") {
  const absl::Status& status = arg;
  *result_listener << status.ToString();
  return status.code() == code && std::string(status.message()).find(text) != std::string::npos;
}
MATCHER(IsOk, "") {
  *result_listener << absl::Status(arg).ToString();
  return absl::Status(arg).ok();
}

}  // namespace vettore::storage_testing
