// The collections of a data directory, opened in this process.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "engine/alias_table.h"
#include "engine/catalog.h"
#include "engine/database.h"
#include "engine/local_collection.h"

namespace vettore {

// Thread-safe.
class LocalDatabase final : public Database {
 public:
  LocalDatabase(std::shared_ptr<Store> store, const DatabaseOptions& options);
  // Writes the checkpoints that are due at the end.
  ~LocalDatabase() override;

  // Finishes drops that were cut off, then loads every collection. Called once, before anything
  // else.
  absl::Status Load() ABSL_LOCKS_EXCLUDED(catalog_mutex_, mutex_);

  absl::StatusOr<std::shared_ptr<Collection>> Create(const Name& name,
                                                     const CollectionConfig& config) override
      ABSL_LOCKS_EXCLUDED(catalog_mutex_, mutex_);
  absl::StatusOr<std::shared_ptr<Collection>> Get(const Name& name) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Drop(const Name& name) override ABSL_LOCKS_EXCLUDED(catalog_mutex_, mutex_);
  std::vector<CollectionStatus> List() const override ABSL_LOCKS_EXCLUDED(mutex_);

  absl::Status SetAlias(const Name& alias, const Name& collection) override
      ABSL_LOCKS_EXCLUDED(catalog_mutex_, mutex_);
  absl::Status DropAlias(const Name& alias) override ABSL_LOCKS_EXCLUDED(catalog_mutex_, mutex_);
  std::vector<std::pair<std::string, std::string>> ListAliases() const override;

  DatabaseStatus Status() const override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct OpenCollection {
    std::shared_ptr<Collection> collection;
    std::shared_ptr<LocalCollection> local = {};  // Null when it could not be loaded.
    std::optional<uint32_t> id = {};              // Absent when its catalog record cannot be read.
  };
  using Collections = std::map<std::string, OpenCollection, std::less<>>;

  // Never fails: what cannot be loaded becomes a DamagedCollection.
  OpenCollection LoadCollection(const std::string& name,
                                const absl::StatusOr<CatalogEntry>& entry) const;
  OpenCollection MakeDamaged(CollectionStatus status, const absl::Status& reason) const;
  OpenCollection MakeOpen(const std::string& name, const CatalogEntry& entry,
                          std::unique_ptr<Shard> shard) const;
  ShardSpec SpecOf(const CatalogEntry& entry) const;
  // Deletes the records of a collection that the catalog no longer names.
  absl::Status FinishDrop(uint32_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(catalog_mutex_);

  std::optional<OpenCollection> Find(std::string_view name) const ABSL_LOCKS_EXCLUDED(mutex_);
  Collections Snapshot() const ABSL_LOCKS_EXCLUDED(mutex_);
  void WriteCheckpoints(IndexCheckpointer::When when) const;
  // Until the database ends.
  void KeepCheckpoints(absl::Duration interval) const;

  // Names what there is that is near.
  absl::Status NotFound(std::string_view what, const Name& name) const ABSL_LOCKS_EXCLUDED(mutex_);

  const std::shared_ptr<Store> store_;  // Collections that callers still hold keep it open.
  const size_t index_memory_bytes_;
  const std::function<absl::Time()> clock_;
  const std::shared_ptr<AliasTable> aliases_ = std::make_shared<AliasTable>();

  // One change of the catalog at a time, over its disk writes: they are rare, and no read or write
  // of points takes it.
  absl::Mutex catalog_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  Catalog catalog_ ABSL_GUARDED_BY(catalog_mutex_);

  mutable absl::Mutex mutex_;
  Collections collections_ ABSL_GUARDED_BY(mutex_);

  absl::Notification ends_;
  std::jthread checkpoint_thread_;  // Last: it uses all of the above.
};

}  // namespace vettore
