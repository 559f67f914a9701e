// The last write of each producer of a shard, so that a retried write is not made twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "storage/store.h"

namespace vettore {

// Remembers the producers that wrote most recently, up to kCapacity and for kLifetime after their
// last write. Externally synchronised.
class ProducerTable {
 public:
  static constexpr size_t kCapacity = 10'000;
  static constexpr absl::Duration kLifetime = absl::Hours(7 * 24);

  ProducerTable() = default;
  ProducerTable(const ProducerTable&) = delete;
  ProducerTable& operator=(const ProducerTable&) = delete;

  // Null when the producer is unknown or expired at `now`. Good until the next Put.
  const ProducerRecord* Find(std::string_view producer, absl::Time now) const;
  // Forgets the producer that has been silent longest when the table is full.
  void Put(std::string_view producer, const ProducerRecord& record);

  size_t size() const { return by_name_.size(); }

 private:
  struct Entry {
    std::string producer;
    ProducerRecord record;
  };
  std::list<Entry> by_age_;  // Silent longest first.
  absl::flat_hash_map<std::string, std::list<Entry>::iterator> by_name_;
};

}  // namespace vettore
