// Comparing integers with doubles by value, exactly.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "types/filter.h"
#include "types/json.h"

namespace vettore {

// 2^53 + 1 and the double 2^53 differ, though converting the integer would make them equal.
// Unordered for a NaN.
std::partial_ordering Compare(int64_t integer, double number);

// The integer of the same value; nullopt when `number` has a fraction or is outside int64.
std::optional<int64_t> ExactInteger(double number);
// The double of the same value; nullopt when rounding would change it.
std::optional<double> ExactDouble(int64_t integer);

// A number as the kind that it was written in.
struct JsonNumber {
  bool is_integer;
  int64_t integer;  // is_integer
  double number;    // !is_integer
};
// nullopt when the value is no number or a NaN. Payloads hold no integer outside int64.
std::optional<JsonNumber> NumberOf(const Json& value);
std::optional<JsonNumber> NumberOf(const Scalar& value);

// Whether a number lies within the bounds that are set.
bool InRange(const JsonNumber& value, const FieldRange& range);

}  // namespace vettore
