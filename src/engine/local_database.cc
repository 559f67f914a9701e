#include "engine/local_database.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "base/exceptions.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "engine/damaged_collection.h"
#include "engine/index_checkpoint.h"
#include "engine/name_suggestion.h"
#include "engine/shard_load.h"
#include "index/vector_index.h"
#include "types/limits.h"

namespace vettore {
namespace {

constexpr size_t kMaxLoadThreads = 4;

ShardKey KeyOf(uint32_t collection) { return {.collection = collection, .shard = 0}; }

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const DatabaseOptions& options) {
  VETTORE_ASSIGN_OR_RETURN(std::shared_ptr<Store> store,
                           Store::Open({.data_dir = options.data_dir,
                                        .block_cache_bytes = options.block_cache_bytes,
                                        .accept_data_loss = options.accept_data_loss}));
  auto database = std::make_unique<LocalDatabase>(std::move(store), options);
  VETTORE_RETURN_IF_ERROR(database->Load());
  return database;
}

LocalDatabase::LocalDatabase(std::shared_ptr<Store> store, const DatabaseOptions& options)
    : store_(std::move(store)),
      index_memory_bytes_(options.index_memory_bytes),
      clock_(options.clock),
      catalog_(*store_),
      checkpoint_thread_(
          [this, interval = options.checkpoint_interval] { KeepCheckpoints(interval); }) {}

LocalDatabase::~LocalDatabase() {
  ends_.Notify();
  checkpoint_thread_.join();
  WriteCheckpoints(IndexCheckpointer::When::kClosing);
}

void LocalDatabase::KeepCheckpoints(absl::Duration interval) const {
  while (!ends_.WaitForNotificationWithTimeout(interval)) {
    WriteCheckpoints(IndexCheckpointer::When::kServing);
  }
}

void LocalDatabase::WriteCheckpoints(IndexCheckpointer::When when) const {
  CatchExceptions("write checkpoints", [&] {
    for (const auto& [name, open] : Snapshot()) {
      if (open.local) open.local->WriteCheckpoints(when);
    }
    return absl::OkStatus();
  }).IgnoreError();
}

absl::Status LocalDatabase::Load() {
  absl::MutexLock catalog_lock(&catalog_mutex_);
  VETTORE_ASSIGN_OR_RETURN(const CatalogContents contents, catalog_.Read());
  for (const uint32_t id : contents.dropping) {
    if (const absl::Status finished = FinishDrop(id); !finished.ok()) {
      Log(LogLevel::kWarning, "drop not finished", {{"id", id}, {"reason", finished.message()}});
    }
  }
  for (const auto& [alias, collection] : contents.aliases) aliases_->Set(alias, collection);

  std::vector<OpenCollection> loaded(contents.collections.size());
  std::atomic<size_t> next = 0;
  const auto load_some = [&] {
    return CatchExceptions("load the collections", [&] {
      for (size_t i = next++; i < loaded.size(); i = next++) {
        loaded[i] = LoadCollection(contents.collections[i].first, contents.collections[i].second);
      }
      return absl::OkStatus();
    });
  };
  const size_t cores = std::max(1U, std::thread::hardware_concurrency());
  std::vector<absl::Status> statuses(std::min(kMaxLoadThreads, cores));
  statuses[0] = CatchExceptions("load the collections", [&] {
    std::vector<std::jthread> threads;
    for (size_t i = 1; i < std::min(statuses.size(), loaded.size()); ++i) {
      threads.emplace_back([&, i] { statuses[i] = load_some(); });
    }
    return load_some();
  });
  for (const absl::Status& status : statuses) {
    VETTORE_RETURN_IF_ERROR(status);
  }

  absl::MutexLock lock(&mutex_);
  for (size_t i = 0; i < loaded.size(); ++i) {
    collections_.emplace(contents.collections[i].first, std::move(loaded[i]));
  }
  return absl::OkStatus();
}

ShardSpec LocalDatabase::SpecOf(const CatalogEntry& entry) const {
  return {.key = KeyOf(entry.id),
          .config = entry.config,
          .epoch = entry.epoch,
          .index_memory_bytes = index_memory_bytes_};
}

LocalDatabase::OpenCollection LocalDatabase::LoadCollection(
    const std::string& name, const absl::StatusOr<CatalogEntry>& entry) const {
  if (!entry.ok()) return MakeDamaged({.name = name}, entry.status());
  const absl::Time start = absl::Now();
  auto shard = LoadShard(store_, SpecOf(*entry), clock_());
  if (!shard.ok()) {
    OpenCollection damaged = MakeDamaged(
        {.name = name, .config = entry->config, .created_unix_ms = entry->created_unix_ms},
        shard.status());
    damaged.id = entry->id;
    return damaged;
  }
  OpenCollection open = MakeOpen(name, *entry, *std::move(shard));
  Log(LogLevel::kInfo, "collection loaded",
      {{"collection", name},
       {"points", open.local->Status().points},
       {"ms", absl::ToInt64Milliseconds(absl::Now() - start)}});
  return open;
}

LocalDatabase::OpenCollection LocalDatabase::MakeDamaged(CollectionStatus status,
                                                         const absl::Status& reason) const {
  Log(LogLevel::kError, "collection not loaded",
      {{"collection", status.name}, {"reason", reason.message()}});
  const absl::Status annotated =
      Annotate(reason, StrCat("collection '", status.name, "' could not be loaded"));
  return {.collection =
              std::make_shared<DamagedCollection>(std::move(status), aliases_, annotated)};
}

LocalDatabase::OpenCollection LocalDatabase::MakeOpen(const std::string& name,
                                                      const CatalogEntry& entry,
                                                      std::unique_ptr<Shard> shard) const {
  auto local = std::make_shared<LocalCollection>(
      LocalCollection::Options{.name = name,
                               .created_unix_ms = entry.created_unix_ms,
                               .aliases = aliases_,
                               .clock = clock_},
      std::move(shard));
  return {.collection = local, .local = local, .id = entry.id};
}

absl::StatusOr<std::shared_ptr<Collection>> LocalDatabase::Create(const Name& name,
                                                                  const CollectionConfig& config) {
  VETTORE_RETURN_IF_ERROR(ValidateCollectionConfig(config));
  for (const VectorConfig& vector : config.vectors) {
    VETTORE_RETURN_IF_ERROR(
        Annotate(CheckVectorIndex(vector), StrCat("vector '", vector.name, "'")));
  }
  absl::MutexLock catalog_lock(&catalog_mutex_);
  if (const auto target = aliases_->CollectionOf(name.str())) {
    return absl::AlreadyExistsError(
        StrCat("collection '", name.str(), "': an alias of '", *target, "' has this name"));
  }
  const Collections existing = Snapshot();
  if (existing.contains(name.str())) {
    return absl::AlreadyExistsError(StrCat("collection '", name.str(), "' exists already"));
  }
  if (existing.size() >= limits::kCollections) {
    return absl::ResourceExhaustedError(StrCat("collection '", name.str(), "': ", existing.size(),
                                               " collections exist, at most ", limits::kCollections,
                                               "; drop one"));
  }
  CatalogEntry entry{.created_unix_ms = absl::ToUnixMillis(clock_()), .config = config};
  VETTORE_ASSIGN_OR_RETURN(entry.id, catalog_.NextId());
  // Ids are never used again, so that no position of a dropped collection is taken for one of this.
  entry.epoch = entry.id;
  // What can fail comes before the record that makes it a collection.
  VETTORE_ASSIGN_OR_RETURN(std::unique_ptr<Shard> shard, Shard::Make(store_, SpecOf(entry)));
  VETTORE_RETURN_IF_ERROR(catalog_.Add(name, entry));
  OpenCollection open = MakeOpen(name.str(), entry, std::move(shard));
  absl::MutexLock lock(&mutex_);
  collections_.emplace(name.str(), open);
  return open.collection;
}

absl::StatusOr<std::shared_ptr<Collection>> LocalDatabase::Get(const Name& name) const {
  if (const auto found = Find(name.str())) return found->collection;
  if (const auto target = aliases_->CollectionOf(name.str())) {
    if (const auto found = Find(*target)) return found->collection;
  }
  return NotFound("collection", name);
}

absl::Status LocalDatabase::Drop(const Name& name) {
  absl::MutexLock catalog_lock(&catalog_mutex_);
  const std::optional<OpenCollection> found = Find(name.str());
  if (!found) {
    if (const auto target = aliases_->CollectionOf(name.str())) {
      return absl::NotFoundError(StrCat("collection '", name.str(),
                                        "' does not exist; it is an alias of '", *target,
                                        "': drop that, or the alias"));
    }
    return NotFound("collection", name);
  }
  if (!found->id) return found->collection->WaitUntilIndexed(CancelToken());  // Its reason.
  const std::vector<std::string> aliases = aliases_->AliasesOf(name.str());
  VETTORE_RETURN_IF_ERROR(catalog_.BeginDrop(name, *found->id, aliases));
  for (const std::string& alias : aliases) aliases_->Erase(alias);
  {
    absl::MutexLock lock(&mutex_);
    collections_.erase(name.str());
  }
  if (found->local) found->local->Close();
  // It is gone for every caller; if its records cannot be deleted now, the next open does it.
  if (const absl::Status finished = FinishDrop(*found->id); !finished.ok()) {
    Log(LogLevel::kWarning, "drop not finished",
        {{"collection", name.str()}, {"reason", finished.message()}});
  }
  return absl::OkStatus();
}

absl::Status LocalDatabase::FinishDrop(uint32_t id) {
  VETTORE_RETURN_IF_ERROR(store_->DropShard(KeyOf(id)));
  VETTORE_RETURN_IF_ERROR(ForgetIndexCheckpoints(*store_, KeyOf(id)));
  return catalog_.FinishDrop(id);
}

std::vector<CollectionStatus> LocalDatabase::List() const {
  std::vector<CollectionStatus> statuses;
  for (const auto& [name, open] : Snapshot()) statuses.push_back(open.collection->Status());
  return statuses;
}

absl::Status LocalDatabase::SetAlias(const Name& alias, const Name& collection) {
  absl::MutexLock catalog_lock(&catalog_mutex_);
  if (Find(alias.str())) {
    return absl::AlreadyExistsError(
        StrCat("alias '", alias.str(), "': a collection has this name"));
  }
  if (!Find(collection.str())) return NotFound("collection", collection);
  VETTORE_RETURN_IF_ERROR(catalog_.SetAlias(alias, collection));
  aliases_->Set(alias.str(), collection.str());
  return absl::OkStatus();
}

absl::Status LocalDatabase::DropAlias(const Name& alias) {
  absl::MutexLock catalog_lock(&catalog_mutex_);
  if (!aliases_->CollectionOf(alias.str())) return NotFound("alias", alias);
  VETTORE_RETURN_IF_ERROR(catalog_.DropAlias(alias));
  aliases_->Erase(alias.str());
  return absl::OkStatus();
}

std::vector<std::pair<std::string, std::string>> LocalDatabase::ListAliases() const {
  return aliases_->All();
}

DatabaseStatus LocalDatabase::Status() const {
  const Store::Usage usage = store_->GetUsage();
  DatabaseStatus status{.disk_bytes = usage.disk_bytes, .memory_bytes = usage.memory_bytes};
  status.instruction_set = ActiveInstructionSet();
  for (const auto& [name, open] : Snapshot()) {
    ++status.collections;
    status.points += open.collection->Status().points;
    if (open.local) status.memory_bytes += open.local->memory_bytes();
  }
  return status;
}

std::optional<LocalDatabase::OpenCollection> LocalDatabase::Find(std::string_view name) const {
  absl::MutexLock lock(&mutex_);
  const auto found = collections_.find(name);
  if (found == collections_.end()) return std::nullopt;
  return found->second;
}

LocalDatabase::Collections LocalDatabase::Snapshot() const {
  absl::MutexLock lock(&mutex_);
  return collections_;
}

absl::Status LocalDatabase::NotFound(std::string_view what, const Name& name) const {
  std::vector<std::string> known;
  for (const auto& [alias, collection] : aliases_->All()) known.push_back(alias);
  if (what == "collection") {
    for (const auto& [existing, open] : Snapshot()) known.push_back(existing);
  }
  return UnknownName(what, name.str(), known);
}

}  // namespace vettore
