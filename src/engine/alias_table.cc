#include "engine/alias_table.h"

namespace vettore {

void AliasTable::Set(std::string_view alias, std::string_view collection) {
  absl::MutexLock lock(&mutex_);
  collections_.insert_or_assign(std::string(alias), std::string(collection));
}

void AliasTable::Erase(std::string_view alias) {
  absl::MutexLock lock(&mutex_);
  if (const auto found = collections_.find(alias); found != collections_.end()) {
    collections_.erase(found);
  }
}

std::optional<std::string> AliasTable::CollectionOf(std::string_view alias) const {
  absl::MutexLock lock(&mutex_);
  const auto found = collections_.find(alias);
  if (found == collections_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> AliasTable::AliasesOf(std::string_view collection) const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> aliases;
  for (const auto& [alias, target] : collections_) {
    if (target == collection) aliases.push_back(alias);
  }
  return aliases;
}

std::vector<std::pair<std::string, std::string>> AliasTable::All() const {
  absl::MutexLock lock(&mutex_);
  return {collections_.begin(), collections_.end()};
}

}  // namespace vettore
