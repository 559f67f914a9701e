// The catalog of a data directory: its collections, their aliases, and the drops that are not
// finished.
//
//   catalog/next_id            decimal: the next numeric id of a collection, never reused
//   catalog/collection/<name>  JSON {"id", "epoch", "created_unix_ms", "config"}
//   catalog/alias/<name>       the name of a collection
//   catalog/dropping/<id>      the name that the collection had; its records are still being
//   deleted
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/store.h"
#include "types/collection_config.h"
#include "types/name.h"

namespace vettore {

struct CatalogEntry {
  uint32_t id = 0;
  uint64_t epoch = 1;  // Of the positions of its writes.
  int64_t created_unix_ms = 0;
  CollectionConfig config = {};
};

struct CatalogContents {
  // DataLoss where a record cannot be read; the others are not concerned.
  std::vector<std::pair<std::string, absl::StatusOr<CatalogEntry>>> collections;
  std::vector<std::pair<std::string, std::string>> aliases;  // Alias and collection.
  std::vector<uint32_t> dropping;
};

// Every change is one durable compare-and-set of the store's metadata. Externally synchronised.
class Catalog {
 public:
  // `store` must outlive it.
  explicit Catalog(Store& store) : store_(store) {}

  absl::StatusOr<CatalogContents> Read() const { return ReadFrom(store_); }
  static absl::StatusOr<CatalogContents> ReadFrom(const StoreReader& store);

  // The id that the next Add takes.
  absl::StatusOr<uint32_t> NextId() const;
  absl::Status Add(const Name& name, const CatalogEntry& entry);
  // Takes away the collection and its aliases, and notes that its records are to be deleted.
  absl::Status BeginDrop(const Name& name, uint32_t id, const std::vector<std::string>& aliases);
  absl::Status FinishDrop(uint32_t id);

  absl::Status SetAlias(const Name& alias, const Name& collection);
  absl::Status DropAlias(const Name& alias);

 private:
  Store& store_;
};

}  // namespace vettore
