#include "payload/number.h"

#include <cmath>

namespace vettore {
namespace {

// The doubles just outside int64: -2^63 itself is inside.
constexpr double kTwoTo63 = 9223372036854775808.0;

std::partial_ordering Compare(const JsonNumber& value, double bound) {
  return value.is_integer ? vettore::Compare(value.integer, bound) : value.number <=> bound;
}

std::optional<JsonNumber> FromDouble(double number) {
  if (std::isnan(number)) return std::nullopt;
  return JsonNumber{false, 0, number};
}

}  // namespace

std::partial_ordering Compare(int64_t integer, double number) {
  if (std::isnan(number)) return std::partial_ordering::unordered;
  if (number >= kTwoTo63) return std::partial_ordering::less;
  if (number < -kTwoTo63) return std::partial_ordering::greater;
  const double whole = std::trunc(number);
  const auto truncated = static_cast<int64_t>(whole);
  if (integer != truncated) return integer <=> truncated;
  return 0.0 <=> (number - whole);
}

std::optional<int64_t> ExactInteger(double number) {
  if (!(number >= -kTwoTo63 && number < kTwoTo63) || std::trunc(number) != number) {
    return std::nullopt;
  }
  return static_cast<int64_t>(number);
}

std::optional<double> ExactDouble(int64_t integer) {
  const auto number = static_cast<double>(integer);
  if (Compare(integer, number) != 0) return std::nullopt;
  return number;
}

std::optional<JsonNumber> NumberOf(const Json& value) {
  if (value.is_number_integer()) return JsonNumber{true, value.get<int64_t>(), 0};
  if (!value.is_number_float()) return std::nullopt;
  return FromDouble(value.get<double>());
}

std::optional<JsonNumber> NumberOf(const Scalar& value) {
  if (const int64_t* integer = std::get_if<int64_t>(&value)) return JsonNumber{true, *integer, 0};
  if (const double* number = std::get_if<double>(&value)) return FromDouble(*number);
  return std::nullopt;
}

bool InRange(const JsonNumber& value, const FieldRange& range) {
  return (!range.gt || Compare(value, *range.gt) > 0) &&
         (!range.gte || Compare(value, *range.gte) >= 0) &&
         (!range.lt || Compare(value, *range.lt) < 0) &&
         (!range.lte || Compare(value, *range.lte) <= 0);
}

}  // namespace vettore
