#include "server/convert_filter.h"

#include <utility>

#include "base/status.h"
#include "server/convert_point.h"
#include "types/limits.h"

namespace vettore {
namespace {

constexpr int kListedValues = 10'000;  // Of one one_of or has_id, as ValidateFilter allows.

// Reads one filter, counting its nodes. Externally synchronised.
class FilterReader {
 public:
  absl::StatusOr<Filter> Read(const v1::Filter& filter, const FieldPath& path, int depth);

 private:
  absl::StatusOr<std::vector<Filter>> ReadList(const v1::FilterList& list, const FieldPath& path,
                                               int depth);

  int nodes_ = 0;
};

absl::StatusOr<Scalar> ScalarFromProto(const v1::Scalar& scalar, const FieldPath& path) {
  switch (scalar.kind_case()) {
    case v1::Scalar::kBoolean:
      return Scalar(scalar.boolean());
    case v1::Scalar::kInteger:
      return Scalar(scalar.integer());
    case v1::Scalar::kNumber:
      return Scalar(scalar.number());
    case v1::Scalar::kText:
      return Scalar(scalar.text());
    case v1::Scalar::KIND_NOT_SET:
      break;
  }
  return path.Invalid("a value without a kind; set one of boolean, integer, number, text");
}

absl::StatusOr<Filter> EqualsFromProto(const v1::FieldEquals& equals, const FieldPath& path) {
  VETTORE_ASSIGN_OR_RETURN(Scalar value, ScalarFromProto(equals.value(), FieldPath(path, "value")));
  return Filter{FieldEquals{.field = equals.field(), .value = std::move(value)}};
}

absl::StatusOr<Filter> OneOfFromProto(const v1::FieldOneOf& one_of, const FieldPath& path) {
  if (one_of.values_size() > kListedValues) {
    return path.Invalid(StrCat("at most ", kListedValues, " values, got ", one_of.values_size()));
  }
  FieldAnyOf any_of{.field = one_of.field(), .values = {}};
  any_of.values.reserve(static_cast<size_t>(one_of.values_size()));
  for (int i = 0; i < one_of.values_size(); ++i) {
    const FieldPath element(path, "values", static_cast<size_t>(i));
    VETTORE_ASSIGN_OR_RETURN(Scalar value, ScalarFromProto(one_of.values(i), element));
    any_of.values.push_back(std::move(value));
  }
  return Filter{std::move(any_of)};
}

Filter RangeFromProto(const v1::FieldRange& range) {
  FieldRange out{.field = range.field(), .gt = {}, .gte = {}, .lt = {}, .lte = {}};
  if (range.has_gt()) out.gt = range.gt();
  if (range.has_gte()) out.gte = range.gte();
  if (range.has_lt()) out.lt = range.lt();
  if (range.has_lte()) out.lte = range.lte();
  return Filter{std::move(out)};
}

absl::StatusOr<Filter> HasIdFromProto(const v1::HasId& has_id, const FieldPath& path) {
  if (has_id.ids_size() > kListedValues) {
    return path.Invalid(StrCat("at most ", kListedValues, " ids, got ", has_id.ids_size()));
  }
  VETTORE_ASSIGN_OR_RETURN(std::vector<PointId> ids,
                           PointIdsFromProto(has_id.ids(), FieldPath(path, "ids")));
  return Filter{HasId{.ids = std::move(ids)}};
}

absl::StatusOr<std::vector<Filter>> FilterReader::ReadList(const v1::FilterList& list,
                                                           const FieldPath& path, int depth) {
  std::vector<Filter> operands;
  for (int i = 0; i < list.filters_size(); ++i) {
    const FieldPath element(path, "filters", static_cast<size_t>(i));
    VETTORE_ASSIGN_OR_RETURN(Filter operand, Read(list.filters(i), element, depth));
    operands.push_back(std::move(operand));
  }
  return operands;
}

absl::StatusOr<Filter> FilterReader::Read(const v1::Filter& filter, const FieldPath& path,
                                          int depth) {
  // The path of a filter that is too deep is long and says little: name the filter as a whole.
  if (depth > limits::kFilterDepth) {
    return FieldPath("filter").Invalid(StrCat("nested deeper than ", limits::kFilterDepth));
  }
  // Each condition may stand under a `negate` and there may be lists; beyond this many nodes there
  // are too many conditions or too much that says nothing.
  if (++nodes_ > 4 * limits::kFilterConditions) {
    return FieldPath("filter").Invalid(
        StrCat("at most ", limits::kFilterConditions, " conditions"));
  }
  switch (filter.node_case()) {
    case v1::Filter::kAll: {
      VETTORE_ASSIGN_OR_RETURN(auto operands,
                               ReadList(filter.all(), FieldPath(path, "all"), depth + 1));
      return Filter{FilterAnd{.operands = std::move(operands)}};
    }
    case v1::Filter::kAny: {
      VETTORE_ASSIGN_OR_RETURN(auto operands,
                               ReadList(filter.any(), FieldPath(path, "any"), depth + 1));
      return Filter{FilterOr{.operands = std::move(operands)}};
    }
    case v1::Filter::kNegate: {
      VETTORE_ASSIGN_OR_RETURN(Filter operand,
                               Read(filter.negate(), FieldPath(path, "negate"), depth + 1));
      FilterNot negated;
      negated.operand.push_back(std::move(operand));
      return Filter{std::move(negated)};
    }
    case v1::Filter::kEquals:
      return EqualsFromProto(filter.equals(), FieldPath(path, "equals"));
    case v1::Filter::kOneOf:
      return OneOfFromProto(filter.one_of(), FieldPath(path, "one_of"));
    case v1::Filter::kRange:
      return RangeFromProto(filter.range());
    case v1::Filter::kExists:
      return Filter{FieldExists{.field = filter.exists().field()}};
    case v1::Filter::kHasId:
      return HasIdFromProto(filter.has_id(), FieldPath(path, "has_id"));
    case v1::Filter::NODE_NOT_SET:
      break;
  }
  return path.Invalid(
      "a filter without a condition; set one of all, any, negate, equals, one_of, range, exists, "
      "has_id");
}

}  // namespace

absl::StatusOr<Filter> FilterFromProto(const v1::Filter& filter, const FieldPath& path) {
  return FilterReader().Read(filter, path, 1);
}

}  // namespace vettore
