// The meaning of a filter, made ready to be asked of many payloads. Private to this room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "types/filter.h"
#include "types/json.h"
#include "types/point_id.h"

namespace vettore {

// The values of a long `any of`, by kind; numbers as integers wherever they equal one.
class ScalarSet {
 public:
  explicit ScalarSet(const std::vector<Scalar>& values);
  bool Contains(const Json& value) const;

 private:
  absl::flat_hash_set<std::string> texts_;
  absl::flat_hash_set<int64_t> integers_;
  absl::flat_hash_set<double> doubles_;
  bool has_true_ = false;
  bool has_false_ = false;
};

// Hashes the long lists of a filter once, so that a payload costs the same with ten values as with
// ten thousand. `filter` must be valid and outlive it. Immutable.
class FilterMatcher {
 public:
  explicit FilterMatcher(const Filter& filter);
  bool Matches(const PointId& id, const Json& payload) const;

 private:
  friend class FilterWalk;
  void Prepare(const Filter& filter);

  const Filter& filter_;
  // By the node that they stand for.
  absl::flat_hash_map<const FieldAnyOf*, ScalarSet> values_;
  absl::flat_hash_map<const HasId*, absl::flat_hash_set<PointId>> ids_;
};

}  // namespace vettore
