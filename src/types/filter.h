// The filter of a search, scroll, count or delete: conditions on payload fields, combined by and,
// or, not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "types/point_id.h"

namespace vettore {

// A scalar that a payload field is compared with. Integers and doubles compare by value: 1
// equals 1.0. Strings compare by bytes. Values of different kinds are never equal.
using Scalar = std::variant<bool, int64_t, double, std::string>;

// Where a payload field holds an array, a condition is true when it is true of any element.
struct FieldEquals {
  std::string field;  // A dotted path, as FindPath takes it.
  Scalar value;
  friend bool operator==(const FieldEquals&, const FieldEquals&) = default;
};
struct FieldAnyOf {
  std::string field;
  std::vector<Scalar> values;
  friend bool operator==(const FieldAnyOf&, const FieldAnyOf&) = default;
};
// Numbers only; a bound that is absent does not bind. At least one is set.
struct FieldRange {
  std::string field;
  std::optional<double> gt, gte, lt, lte;
  friend bool operator==(const FieldRange&, const FieldRange&) = default;
};
// The field is present and not null.
struct FieldExists {
  std::string field;
  friend bool operator==(const FieldExists&, const FieldExists&) = default;
};
struct HasId {
  std::vector<PointId> ids;
  friend bool operator==(const HasId&, const HasId&) = default;
};

struct Filter;
struct FilterAnd {
  std::vector<Filter> operands;  // Empty: true.
  friend bool operator==(const FilterAnd& a, const FilterAnd& b);
};
struct FilterOr {
  std::vector<Filter> operands;  // Empty: false.
  friend bool operator==(const FilterOr& a, const FilterOr& b);
};
struct FilterNot {
  std::vector<Filter> operand;  // Exactly one.
  friend bool operator==(const FilterNot& a, const FilterNot& b);
};

struct Filter {
  std::variant<FilterAnd, FilterOr, FilterNot, FieldEquals, FieldAnyOf, FieldRange, FieldExists,
               HasId>
      node;
  // Whether they are written alike; what means the same may be written otherwise.
  friend bool operator==(const Filter& a, const Filter& b);
};

// InvalidArgument past limits::kFilterDepth or limits::kFilterConditions, for an empty field name,
// a range without bounds or with a NaN, or a `not` that has not exactly one operand. Each value of
// any_of counts as no condition, but at most 10,000 values or ids stand in one.
absl::Status ValidateFilter(const Filter& filter);

}  // namespace vettore
