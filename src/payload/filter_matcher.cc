#include "payload/filter_matcher.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <variant>

#include "payload/number.h"
#include "payload/payload_index.h"

namespace vettore {
namespace {

// Up to here a look at each value costs no more than a hash.
constexpr size_t kShortList = 16;

bool EqualsValue(const Json& value, bool wanted) {
  return value.is_boolean() && value.get<bool>() == wanted;
}

bool EqualsValue(const Json& value, int64_t wanted) {
  const std::optional<JsonNumber> number = NumberOf(value);
  if (!number) return false;
  return number->is_integer ? number->integer == wanted : Compare(wanted, number->number) == 0;
}

bool EqualsValue(const Json& value, double wanted) {
  const std::optional<JsonNumber> number = NumberOf(value);
  if (!number) return false;
  return number->is_integer ? Compare(number->integer, wanted) == 0 : number->number == wanted;
}

bool EqualsValue(const Json& value, const std::string& wanted) {
  return value.is_string() && value.get_ref<const std::string&>() == wanted;
}

bool EqualsScalar(const Json& value, const Scalar& wanted) {
  return std::visit([&value](const auto& scalar) { return EqualsValue(value, scalar); }, wanted);
}

std::optional<int64_t> IntegerOf(const JsonNumber& number) {
  return number.is_integer ? std::optional<int64_t>(number.integer) : ExactInteger(number.number);
}

// Whether `condition` holds for the value at `path` or, where that is an array, for any of its
// elements.
template <typename Condition>
bool AnyValueAt(const Json& payload, std::string_view path, Condition condition) {
  const Json* value = FindPath(payload, path);
  if (value == nullptr) return false;
  if (!value->is_array()) return condition(*value);
  return std::any_of(value->begin(), value->end(), condition);
}

}  // namespace

ScalarSet::ScalarSet(const std::vector<Scalar>& values) {
  for (const Scalar& value : values) {
    if (const std::string* text = std::get_if<std::string>(&value)) {
      texts_.insert(*text);
    } else if (const bool* flag = std::get_if<bool>(&value)) {
      (*flag ? has_true_ : has_false_) = true;
    } else if (const std::optional<JsonNumber> number = NumberOf(value)) {
      if (const std::optional<int64_t> integer = IntegerOf(*number)) {
        integers_.insert(*integer);
      } else {
        doubles_.insert(number->number);
      }
    }
  }
}

bool ScalarSet::Contains(const Json& value) const {
  if (value.is_string()) return texts_.contains(value.get_ref<const std::string&>());
  if (value.is_boolean()) return value.get<bool>() ? has_true_ : has_false_;
  const std::optional<JsonNumber> number = NumberOf(value);
  if (!number) return false;
  const std::optional<int64_t> integer = IntegerOf(*number);
  return integer ? integers_.contains(*integer) : doubles_.contains(number->number);
}

// One payload's way through the filter. `prepared` may be null: then long lists are walked.
class FilterWalk {
 public:
  FilterWalk(const PointId& id, const Json& payload, const FilterMatcher* prepared)
      : id_(id), payload_(payload), prepared_(prepared) {}

  bool Holds(const Filter& filter) const {
    return std::visit([this](const auto& node) { return HoldsNode(node); }, filter.node);
  }

 private:
  bool HoldsNode(const FilterAnd& node) const {
    return std::all_of(node.operands.begin(), node.operands.end(),
                       [this](const Filter& operand) { return Holds(operand); });
  }
  bool HoldsNode(const FilterOr& node) const {
    return std::any_of(node.operands.begin(), node.operands.end(),
                       [this](const Filter& operand) { return Holds(operand); });
  }
  bool HoldsNode(const FilterNot& node) const { return !Holds(node.operand.front()); }

  bool HoldsNode(const FieldEquals& node) const {
    return AnyValueAt(payload_, node.field,
                      [&node](const Json& value) { return EqualsScalar(value, node.value); });
  }
  bool HoldsNode(const FieldAnyOf& node) const {
    const ScalarSet* set = nullptr;
    if (prepared_ != nullptr) {
      const auto found = prepared_->values_.find(&node);
      if (found != prepared_->values_.end()) set = &found->second;
    }
    return AnyValueAt(payload_, node.field, [&node, set](const Json& value) {
      if (set != nullptr) return set->Contains(value);
      return std::any_of(node.values.begin(), node.values.end(),
                         [&value](const Scalar& wanted) { return EqualsScalar(value, wanted); });
    });
  }
  bool HoldsNode(const FieldRange& node) const {
    return AnyValueAt(payload_, node.field, [&node](const Json& value) {
      const std::optional<JsonNumber> number = NumberOf(value);
      return number && InRange(*number, node);
    });
  }
  bool HoldsNode(const FieldExists& node) const {
    const Json* value = FindPath(payload_, node.field);
    return value != nullptr && !value->is_null();
  }
  bool HoldsNode(const HasId& node) const {
    if (prepared_ != nullptr) {
      const auto found = prepared_->ids_.find(&node);
      if (found != prepared_->ids_.end()) return found->second.contains(id_);
    }
    return std::find(node.ids.begin(), node.ids.end(), id_) != node.ids.end();
  }

  const PointId& id_;
  const Json& payload_;
  const FilterMatcher* const prepared_;
};

FilterMatcher::FilterMatcher(const Filter& filter) : filter_(filter) { Prepare(filter); }

void FilterMatcher::Prepare(const Filter& filter) {
  if (const auto* conjunction = std::get_if<FilterAnd>(&filter.node)) {
    for (const Filter& operand : conjunction->operands) Prepare(operand);
  } else if (const auto* disjunction = std::get_if<FilterOr>(&filter.node)) {
    for (const Filter& operand : disjunction->operands) Prepare(operand);
  } else if (const auto* negation = std::get_if<FilterNot>(&filter.node)) {
    Prepare(negation->operand.front());
  } else if (const auto* any_of = std::get_if<FieldAnyOf>(&filter.node)) {
    if (any_of->values.size() > kShortList) values_.emplace(any_of, any_of->values);
  } else if (const auto* has_id = std::get_if<HasId>(&filter.node)) {
    if (has_id->ids.size() > kShortList) {
      ids_.emplace(has_id, absl::flat_hash_set<PointId>(has_id->ids.begin(), has_id->ids.end()));
    }
  }
}

bool FilterMatcher::Matches(const PointId& id, const Json& payload) const {
  return FilterWalk(id, payload, this).Holds(filter_);
}

bool Matches(const Filter& filter, const PointId& id, const Json& payload) {
  return FilterWalk(id, payload, nullptr).Holds(filter);
}

}  // namespace vettore
