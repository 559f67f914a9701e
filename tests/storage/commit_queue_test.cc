#include "storage/commit_queue.h"

#include <memory>

#include "gtest/gtest.h"
#include "storage/store_testing.h"

namespace vettore {
namespace {

using namespace storage_testing;  // NOLINT: the vocabulary of these tests.

// A queue on a database of its own.
class CommitQueueTest : public testing::Test {
 protected:
  CommitQueueTest()
      : database_(*RocksDatabase::Open({.path = dir_ / "rocksdb",
                                        .block_cache_bytes = 1 << 20,
                                        .write_buffer_bytes = 1 << 20,
                                        .env = rocksdb::Env::Default()},
                                       RocksDatabase::Mode::kCreate,
                                       RocksDatabase::LogReading::kUpToDamage)),
        syncer_({.sync_log = [this] { return queue_.SyncLog(); }, .failure = &failure_},
                *Watermark::Create(dir_ / "WATERMARK", Uuid(), 0)),
        queue_({.database = database_.get(),
                .syncer = &syncer_,
                .failure = &failure_,
                .last = {},
                .max_op_records = 100,
                .guard = FreeSpaceGuard(dir_.path(), 0)}) {}
  ~CommitQueueTest() override { syncer_.Stop(); }

  rocksdb::ColumnFamilyHandle* meta() const { return database_->handle(ColumnFamily::kMeta); }

  const TemporaryDirectory dir_;
  const std::unique_ptr<RocksDatabase> database_;
  FailureLatch failure_;
  LogSyncer syncer_;
  CommitQueue queue_;
};

// A batch that could not take the commit record ended all writes until the next open.
TEST_F(CommitQueueTest, AFailureBeforeAnythingIsWrittenIsOfThatCommitAlone) {
  rocksdb::WriteBatch full(/*reserved_bytes=*/0, /*max_bytes=*/32);
  ASSERT_TRUE(full.Put(meta(), "refused", "").ok());
  EXPECT_FALSE(queue_.Commit({.records = {&full}}).ok());

  rocksdb::WriteBatch records;
  ASSERT_TRUE(records.Put(meta(), "taken", "").ok());
  EXPECT_THAT(queue_.Commit({.records = {&records}}), IsOk());
  EXPECT_FALSE(database_->Get(ColumnFamily::kMeta, "refused")->has_value());
  EXPECT_TRUE(database_->Get(ColumnFamily::kMeta, "taken")->has_value());
  EXPECT_EQ((*database_->ReadCommit())->number, 1u);
}

}  // namespace
}  // namespace vettore
