// The last write of each producer of a shard, so that a retried write is not made twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "storage/store.h"

namespace vettore {

// Remembers the producers that wrote most recently, up to kCapacity and for kLifetime after their
// last write. Who puts one makes room first, on disk as here. Externally synchronised.
class ProducerTable {
 public:
  static constexpr size_t kCapacity = 10'000;
  static constexpr absl::Duration kLifetime = absl::Hours(7 * 24);

  ProducerTable() = default;
  ProducerTable(const ProducerTable&) = delete;
  ProducerTable& operator=(const ProducerTable&) = delete;

  // Null when the producer is unknown or expired at `now`. Good until the next Put.
  const ProducerRecord* Find(std::string_view producer, absl::Time now) const;
  void Put(std::string_view producer, const ProducerRecord& record);

  // Who must go before `incoming` more are put: those who have expired at `now`, and of the others
  // those silent longest, as many as are too many.
  std::vector<std::string> ToForget(size_t incoming, absl::Time now) const;
  void Erase(std::string_view producer);

  size_t size() const { return by_name_.size(); }

 private:
  struct Entry {
    std::string producer;
    ProducerRecord record;
  };
  static bool IsExpired(const ProducerRecord& record, absl::Time now) {
    return now - absl::FromUnixMillis(record.unix_ms) > kLifetime;
  }

  std::list<Entry> by_age_;  // Silent longest first.
  absl::flat_hash_map<std::string, std::list<Entry>::iterator> by_name_;
};

}  // namespace vettore
