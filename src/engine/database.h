// The one interface of this room: the collections of a data directory.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/collection.h"
#include "types/collection_config.h"
#include "types/name.h"

namespace vettore {

struct DatabaseOptions {
  std::filesystem::path data_dir;
  size_t block_cache_bytes = 256 << 20;
  // What the codes and links of one graph should fit in; Quantization::kAuto follows it. 0: without
  // limit.
  size_t index_memory_bytes = 0;
  // Opens a directory in which acknowledged writes are missing, with what is left, instead of
  // refusing it.
  bool accept_data_loss = false;
  // How often is looked whether an index has changed enough for another checkpoint.
  absl::Duration checkpoint_interval = absl::Seconds(10);
  std::function<absl::Time()> clock = absl::Now;  // Stamps creations and producers.
};

struct DatabaseStatus {
  uint64_t disk_bytes = 0;
  uint64_t memory_bytes = 0;  // Of the store and all indexes.
  uint64_t collections = 0;
  uint64_t points = 0;
  std::string instruction_set = {};  // Of the active kernels: "scalar", "avx2" or "avx512".
};

// A program can use it without the server. The directory is released once the database and all
// collections that callers hold are gone. Thread-safe.
class Database {
 public:
  // Loads every collection: its points are searchable when Open returns, by graphs from their
  // checkpoints; what these lack is found exactly, until it is built in the background. A
  // collection that cannot be loaded does not keep the others from serving: its calls return
  // DataLoss, or ResourceExhausted where memory ran out. DataLoss when the directory is damaged or
  // acknowledged writes are missing, unless that is accepted.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const DatabaseOptions& options);
  virtual ~Database() = default;

  // AlreadyExists when a collection or alias has the name.
  virtual absl::StatusOr<std::shared_ptr<Collection>> Create(const Name& name,
                                                             const CollectionConfig& config) = 0;
  // By name or alias. NotFound names what exists that is near.
  virtual absl::StatusOr<std::shared_ptr<Collection>> Get(const Name& name) const = 0;
  // By name, not alias; its aliases go with it. NotFound. Calls in flight end with NotFound or
  // their result.
  virtual absl::Status Drop(const Name& name) = 0;
  virtual std::vector<CollectionStatus> List() const = 0;  // By name.

  // Points the alias at the collection, moving it when it exists. AlreadyExists when a collection
  // has the name.
  virtual absl::Status SetAlias(const Name& alias, const Name& collection) = 0;
  virtual absl::Status DropAlias(const Name& alias) = 0;
  virtual std::vector<std::pair<std::string, std::string>> ListAliases() const = 0;

  virtual DatabaseStatus Status() const = 0;
};

}  // namespace vettore
