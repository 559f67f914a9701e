#include "engine/catalog.h"

#include <optional>
#include <string_view>

#include "absl/strings/numbers.h"
#include "base/status.h"
#include "base/strings.h"
#include "types/json.h"

namespace vettore {
namespace {

constexpr std::string_view kNextIdKey = "catalog/next_id";
constexpr std::string_view kCollectionPrefix = "catalog/collection/";
constexpr std::string_view kAliasPrefix = "catalog/alias/";
constexpr std::string_view kDroppingPrefix = "catalog/dropping/";
constexpr int kRecordDepth = 16;

std::string CollectionKey(std::string_view name) { return StrCat(kCollectionPrefix, name); }
std::string AliasKey(std::string_view name) { return StrCat(kAliasPrefix, name); }
std::string DroppingKey(uint32_t id) { return StrCat(kDroppingPrefix, id); }

std::string Encode(const CatalogEntry& entry) {
  return Json{{"id", entry.id},
              {"epoch", entry.epoch},
              {"created_unix_ms", entry.created_unix_ms},
              {"config", ToJson(entry.config)}}
      .dump();
}

absl::Status Damaged(std::string_view key, std::string_view reason) {
  return absl::DataLossError(
      StrCat("record '", key, "': ", reason, "; restore the data directory from a backup"));
}

// A non-negative integer member that fits `Integer`.
template <typename Integer>
std::optional<Integer> ReadInteger(const Json& record, const char* name) {
  const auto member = record.find(name);
  if (member == record.end() || !member->is_number_integer()) return std::nullopt;
  const int64_t value = member->get<int64_t>();
  if (value < 0 || static_cast<int64_t>(static_cast<Integer>(value)) != value) return std::nullopt;
  return static_cast<Integer>(value);
}

absl::StatusOr<CatalogEntry> Decode(std::string_view key, std::string_view text) {
  const absl::StatusOr<Json> record = ParseJson(text, kRecordDepth);
  if (!record.ok()) return Damaged(key, StdView(record.status().message()));
  if (!record->is_object() || record->size() != 4 || !record->contains("config")) {
    return Damaged(key, "expected the members id, epoch, created_unix_ms and config");
  }
  const auto id = ReadInteger<uint32_t>(*record, "id");
  const auto epoch = ReadInteger<uint64_t>(*record, "epoch");
  const auto created = ReadInteger<int64_t>(*record, "created_unix_ms");
  if (!id || !epoch || !created) {
    return Damaged(key, "id, epoch and created_unix_ms must be integers of their range");
  }
  absl::StatusOr<CollectionConfig> config = CollectionConfigFromJson((*record)["config"]);
  absl::Status valid = config.status();
  if (valid.ok()) valid = ValidateCollectionConfig(*config);
  if (!valid.ok()) return Damaged(key, StdView(valid.message()));
  return CatalogEntry{
      .id = *id, .epoch = *epoch, .created_unix_ms = *created, .config = *std::move(config)};
}

absl::StatusOr<uint32_t> ParseId(std::string_view key, std::string_view text) {
  uint32_t id = 0;
  if (!absl::SimpleAtoi(AbslView(text), &id)) return Damaged(key, "expected a number");
  return id;
}

}  // namespace

absl::StatusOr<CatalogContents> Catalog::ReadFrom(const StoreReader& store) {
  CatalogContents contents;
  VETTORE_ASSIGN_OR_RETURN(const auto collections, store.ListMeta(kCollectionPrefix));
  for (const auto& [key, value] : collections) {
    contents.collections.emplace_back(key.substr(kCollectionPrefix.size()), Decode(key, value));
  }
  VETTORE_ASSIGN_OR_RETURN(const auto aliases, store.ListMeta(kAliasPrefix));
  for (const auto& [key, value] : aliases) {
    contents.aliases.emplace_back(key.substr(kAliasPrefix.size()), value);
  }
  VETTORE_ASSIGN_OR_RETURN(const auto dropping, store.ListMeta(kDroppingPrefix));
  for (const auto& [key, value] : dropping) {
    VETTORE_ASSIGN_OR_RETURN(contents.dropping.emplace_back(),
                             ParseId(key, key.substr(kDroppingPrefix.size())));
  }
  return contents;
}

absl::StatusOr<uint32_t> Catalog::NextId() const {
  VETTORE_ASSIGN_OR_RETURN(const std::optional<std::string> next, store_.GetMeta(kNextIdKey));
  if (!next) return 1;
  return ParseId(kNextIdKey, *next);
}

absl::Status Catalog::Add(const Name& name, const CatalogEntry& entry) {
  VETTORE_ASSIGN_OR_RETURN(std::optional<std::string> next, store_.GetMeta(kNextIdKey));
  const Store::MetaChange changes[] = {
      {.key = std::string(kNextIdKey),
       .expected = std::move(next),
       .value = StrCat(uint64_t{entry.id} + 1)},
      {.key = CollectionKey(name.str()), .expected = std::nullopt, .value = Encode(entry)}};
  return store_.ChangeMeta(changes);
}

absl::Status Catalog::BeginDrop(const Name& name, uint32_t id,
                                const std::vector<std::string>& aliases) {
  std::vector<std::string> keys = {CollectionKey(name.str())};
  for (const std::string& alias : aliases) keys.push_back(AliasKey(alias));
  std::vector<Store::MetaChange> changes;
  for (std::string& key : keys) {
    VETTORE_ASSIGN_OR_RETURN(std::optional<std::string> current, store_.GetMeta(key));
    changes.push_back(
        {.key = std::move(key), .expected = std::move(current), .value = std::nullopt});
  }
  changes.push_back({.key = DroppingKey(id), .expected = std::nullopt, .value = name.str()});
  return store_.ChangeMeta(changes);
}

absl::Status Catalog::FinishDrop(uint32_t id) {
  const std::string key = DroppingKey(id);
  VETTORE_ASSIGN_OR_RETURN(std::optional<std::string> current, store_.GetMeta(key));
  const Store::MetaChange changes[] = {
      {.key = key, .expected = std::move(current), .value = std::nullopt}};
  return store_.ChangeMeta(changes);
}

absl::Status Catalog::SetAlias(const Name& alias, const Name& collection) {
  const std::string key = AliasKey(alias.str());
  VETTORE_ASSIGN_OR_RETURN(std::optional<std::string> current, store_.GetMeta(key));
  const Store::MetaChange changes[] = {
      {.key = key, .expected = std::move(current), .value = collection.str()}};
  return store_.ChangeMeta(changes);
}

absl::Status Catalog::DropAlias(const Name& alias) {
  const std::string key = AliasKey(alias.str());
  VETTORE_ASSIGN_OR_RETURN(std::optional<std::string> current, store_.GetMeta(key));
  const Store::MetaChange changes[] = {
      {.key = key, .expected = std::move(current), .value = std::nullopt}};
  return store_.ChangeMeta(changes);
}

}  // namespace vettore
