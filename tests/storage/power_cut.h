// A file system under RocksDB whose power can be cut: what was not synced is then lost.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"

namespace vettore::storage_testing {

// After RocksDB's own FaultInjectionTestFS, which Debian does not ship. Thread-safe.
class PowerCutFileSystem : public rocksdb::FileSystemWrapper {
 public:
  PowerCutFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "PowerCutFileSystem"; }

  // From now on nothing reaches the disk, and every call that should says so.
  void Cut();
  // Syncs fail, appends do not.
  void FailSyncs();
  // Syncs take this long, as on a real disk.
  void SlowSyncs(absl::Duration duration);
  // Once the store is closed: takes from each file a random part of what was not synced. kGarbage:
  // instead of the rest of it, as out-of-order write-back does, there are random bytes.
  enum class Rest { kLost, kGarbage };
  void LoseUnsynced(std::mt19937& random, Rest rest);
  uint64_t syncs() const;

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string&, const rocksdb::FileOptions&,
                                       std::unique_ptr<rocksdb::FSWritableFile>*,
                                       rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::NotSupported("not modelled");
  }
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

 private:
  friend class PowerCutFile;
  struct Extent {
    uint64_t written = 0;
    uint64_t synced = 0;
  };

  rocksdb::IOStatus CheckPower() const;
  void NoteAppend(const std::string& name, uint64_t bytes);
  rocksdb::IOStatus Sync(const std::string& name);

  mutable absl::Mutex mutex_;
  std::map<std::string, Extent> extents_ ABSL_GUARDED_BY(mutex_);
  bool is_cut_ ABSL_GUARDED_BY(mutex_) = false;
  bool syncs_fail_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t syncs_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Duration sync_time_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace vettore::storage_testing
