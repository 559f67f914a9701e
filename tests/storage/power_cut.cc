#include "storage/power_cut.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/time/clock.h"

namespace vettore::storage_testing {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// Externally synchronised but for Sync, as RocksDB's own.
class PowerCutFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  PowerCutFile(PowerCutFileSystem& system, std::string name,
               std::unique_ptr<rocksdb::FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)), system_(system), name_(std::move(name)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = system_.CheckPower();
    if (status.ok()) status = target()->Append(data, options, debug);
    if (status.ok()) system_.NoteAppend(name_, data.size());
    return status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = system_.CheckPower();
    return status.ok() ? target()->Truncate(size, options, debug) : status;
  }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return system_.Sync(name_); }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return system_.Sync(name_); }

 private:
  PowerCutFileSystem& system_;
  const std::string name_;
};

void PowerCutFileSystem::Cut() {
  absl::MutexLock lock(&mutex_);
  is_cut_ = true;
}

void PowerCutFileSystem::FailSyncs() {
  absl::MutexLock lock(&mutex_);
  syncs_fail_ = true;
}

void PowerCutFileSystem::SlowSyncs(absl::Duration duration) {
  absl::MutexLock lock(&mutex_);
  sync_time_ = duration;
}

uint64_t PowerCutFileSystem::syncs() const {
  absl::MutexLock lock(&mutex_);
  return syncs_;
}

IOStatus PowerCutFileSystem::CheckPower() const {
  absl::MutexLock lock(&mutex_);
  return is_cut_ ? IOStatus::IOError("the power is cut") : IOStatus::OK();
}

void PowerCutFileSystem::NoteAppend(const std::string& name, uint64_t bytes) {
  absl::MutexLock lock(&mutex_);
  extents_[name].written += bytes;
}

IOStatus PowerCutFileSystem::Sync(const std::string& name) {
  uint64_t written = 0;
  absl::Duration sync_time;
  {
    absl::MutexLock lock(&mutex_);
    written = extents_[name].written;
    sync_time = sync_time_;
  }
  absl::SleepFor(sync_time);
  absl::MutexLock lock(&mutex_);
  if (is_cut_) return IOStatus::IOError("the power is cut");
  if (syncs_fail_) return IOStatus::IOError("fsync fails");
  ++syncs_;
  extents_[name].synced = written;
  return IOStatus::OK();
}

IOStatus PowerCutFileSystem::NewWritableFile(const std::string& name, const FileOptions& options,
                                             std::unique_ptr<rocksdb::FSWritableFile>* file,
                                             IODebugContext* debug) {
  IOStatus status = CheckPower();
  if (status.ok()) status = target()->NewWritableFile(name, options, file, debug);
  if (!status.ok()) return status;
  *file = std::make_unique<PowerCutFile>(*this, name, std::move(*file));
  absl::MutexLock lock(&mutex_);
  extents_[name] = {};
  return status;
}

IOStatus PowerCutFileSystem::RenameFile(const std::string& from, const std::string& to,
                                        const IOOptions& options, IODebugContext* debug) {
  IOStatus status = CheckPower();
  if (status.ok()) status = target()->RenameFile(from, to, options, debug);
  if (!status.ok()) return status;
  absl::MutexLock lock(&mutex_);
  if (auto node = extents_.extract(from)) extents_[to] = node.mapped();
  return status;
}

IOStatus PowerCutFileSystem::DeleteFile(const std::string& name, const IOOptions& options,
                                        IODebugContext* debug) {
  IOStatus status = CheckPower();
  if (status.ok()) status = target()->DeleteFile(name, options, debug);
  if (!status.ok()) return status;
  absl::MutexLock lock(&mutex_);
  extents_.erase(name);
  return status;
}

void PowerCutFileSystem::LoseUnsynced(std::mt19937& random, Rest rest) {
  absl::MutexLock lock(&mutex_);
  for (const auto& [name, extent] : extents_) {
    if (extent.synced >= extent.written || !std::filesystem::exists(name)) continue;
    const uint64_t kept = extent.synced + random() % (extent.written - extent.synced + 1);
    std::filesystem::resize_file(name, kept);
    if (rest == Rest::kLost || kept == extent.written) continue;
    std::string garbage(std::min<uint64_t>(extent.written - kept, 1 << 16), '\0');
    for (char& byte : garbage) byte = static_cast<char>(random());
    std::ofstream(name, std::ios::binary | std::ios::app) << garbage;
  }
}

}  // namespace vettore::storage_testing
