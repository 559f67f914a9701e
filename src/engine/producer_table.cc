#include "engine/producer_table.h"

#include <iterator>

#include "base/strings.h"

namespace vettore {

const ProducerRecord* ProducerTable::Find(std::string_view producer, absl::Time now) const {
  const auto found = by_name_.find(AbslView(producer));
  if (found == by_name_.end()) return nullptr;
  const ProducerRecord& record = found->second->record;
  return IsExpired(record, now) ? nullptr : &record;
}

void ProducerTable::Put(std::string_view producer, const ProducerRecord& record) {
  if (const auto found = by_name_.find(AbslView(producer)); found != by_name_.end()) {
    found->second->record = record;
    by_age_.splice(by_age_.end(), by_age_, found->second);
    return;
  }
  by_age_.push_back({.producer = std::string(producer), .record = record});
  by_name_.emplace(std::string(producer), std::prev(by_age_.end()));
}

std::vector<std::string> ProducerTable::ToForget(size_t incoming, absl::Time now) const {
  std::vector<std::string> names;
  for (const Entry& entry : by_age_) {
    const size_t kept = size() - names.size() + incoming;
    if (kept <= kCapacity && !IsExpired(entry.record, now)) break;
    names.push_back(entry.producer);
  }
  return names;
}

void ProducerTable::Erase(std::string_view producer) {
  const auto found = by_name_.find(AbslView(producer));
  if (found == by_name_.end()) return;
  by_age_.erase(found->second);
  by_name_.erase(found);
}

}  // namespace vettore
