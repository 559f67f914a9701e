#include "engine/producer_table.h"

#include <iterator>

#include "base/strings.h"

namespace vettore {

const ProducerRecord* ProducerTable::Find(std::string_view producer, absl::Time now) const {
  const auto found = by_name_.find(AbslView(producer));
  if (found == by_name_.end()) return nullptr;
  const ProducerRecord& record = found->second->record;
  return now - absl::FromUnixMillis(record.unix_ms) > kLifetime ? nullptr : &record;
}

void ProducerTable::Put(std::string_view producer, const ProducerRecord& record) {
  if (const auto found = by_name_.find(AbslView(producer)); found != by_name_.end()) {
    found->second->record = record;
    by_age_.splice(by_age_.end(), by_age_, found->second);
    return;
  }
  if (by_name_.size() >= kCapacity) {
    by_name_.erase(by_age_.front().producer);
    by_age_.pop_front();
  }
  by_age_.push_back({.producer = std::string(producer), .record = record});
  by_name_.emplace(std::string(producer), std::prev(by_age_.end()));
}

}  // namespace vettore
