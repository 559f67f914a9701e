#include "types/filter.h"

#include <cmath>
#include <string_view>

#include "base/status.h"
#include "base/strings.h"
#include "types/limits.h"

namespace vettore {
namespace {

constexpr size_t kValuesPerCondition = 10'000;

// Walks a filter once and stops at the first thing wrong, so that its own recursion is bounded by
// the depth limit.
class FilterCheck {
 public:
  absl::Status Check(const Filter& filter, int depth) {
    if (depth > limits::kFilterDepth) {
      return absl::InvalidArgumentError(
          StrCat("filter: nested deeper than ", limits::kFilterDepth, " levels"));
    }
    return std::visit([this, depth](const auto& node) { return CheckNode(node, depth); },
                      filter.node);
  }

 private:
  absl::Status CheckNode(const FilterAnd& node, int depth) {
    return CheckOperands(node.operands, depth);
  }
  absl::Status CheckNode(const FilterOr& node, int depth) {
    return CheckOperands(node.operands, depth);
  }
  absl::Status CheckNode(const FilterNot& node, int depth) {
    if (node.operand.size() != 1) {
      return absl::InvalidArgumentError(
          StrCat("filter: a `not` has exactly one operand, got ", node.operand.size()));
    }
    return Check(node.operand.front(), depth + 1);
  }
  absl::Status CheckNode(const FieldEquals& node, int) {
    VETTORE_RETURN_IF_ERROR(CountCondition());
    VETTORE_RETURN_IF_ERROR(CheckField(node.field));
    return CheckScalar(node.field, node.value);
  }
  absl::Status CheckNode(const FieldAnyOf& node, int) {
    VETTORE_RETURN_IF_ERROR(CountCondition());
    VETTORE_RETURN_IF_ERROR(CheckField(node.field));
    VETTORE_RETURN_IF_ERROR(CheckCount("values", node.values.size()));
    for (const Scalar& value : node.values) {
      VETTORE_RETURN_IF_ERROR(CheckScalar(node.field, value));
    }
    return absl::OkStatus();
  }
  absl::Status CheckNode(const FieldRange& node, int) {
    VETTORE_RETURN_IF_ERROR(CountCondition());
    VETTORE_RETURN_IF_ERROR(CheckField(node.field));
    int bounds = 0;
    for (const std::optional<double>& bound : {node.gt, node.gte, node.lt, node.lte}) {
      if (!bound) continue;
      if (std::isnan(*bound)) {
        return absl::InvalidArgumentError(
            StrCat("filter: range on field '", node.field, "': a bound is NaN"));
      }
      ++bounds;
    }
    if (bounds == 0) {
      return absl::InvalidArgumentError(StrCat("filter: range on field '", node.field,
                                               "': set at least one of gt, gte, lt, lte"));
    }
    return absl::OkStatus();
  }
  absl::Status CheckNode(const FieldExists& node, int) {
    VETTORE_RETURN_IF_ERROR(CountCondition());
    return CheckField(node.field);
  }
  absl::Status CheckNode(const HasId& node, int) {
    VETTORE_RETURN_IF_ERROR(CountCondition());
    return CheckCount("ids", node.ids.size());
  }

  absl::Status CheckOperands(const std::vector<Filter>& operands, int depth) {
    // One without operands is a leaf: uncounted, any number of them could stand side by side.
    if (operands.empty()) return CountCondition();
    for (const Filter& operand : operands) {
      VETTORE_RETURN_IF_ERROR(Check(operand, depth + 1));
    }
    return absl::OkStatus();
  }

  absl::Status CountCondition() {
    if (++conditions_ > limits::kFilterConditions) {
      return absl::InvalidArgumentError(
          StrCat("filter: more than ", limits::kFilterConditions, " conditions"));
    }
    return absl::OkStatus();
  }

  static absl::Status CheckField(std::string_view field) {
    if (field.empty() || field.size() > limits::kFieldBytes) {
      return absl::InvalidArgumentError(StrCat("filter: a field's path has 1 to ",
                                               limits::kFieldBytes, " bytes, got ", field.size()));
    }
    return absl::OkStatus();
  }

  static absl::Status CheckScalar(std::string_view field, const Scalar& value) {
    const double* number = std::get_if<double>(&value);
    if (number != nullptr && std::isnan(*number)) {
      return absl::InvalidArgumentError(
          StrCat("filter: value for field '", field, "' is NaN, which equals nothing"));
    }
    return absl::OkStatus();
  }

  static absl::Status CheckCount(std::string_view what, size_t count) {
    if (count > kValuesPerCondition) {
      return absl::InvalidArgumentError(StrCat("filter: at most ", kValuesPerCondition, " ", what,
                                               " in one condition, got ", count));
    }
    return absl::OkStatus();
  }

  int conditions_ = 0;
};

}  // namespace

bool operator==(const FilterAnd& a, const FilterAnd& b) { return a.operands == b.operands; }
bool operator==(const FilterOr& a, const FilterOr& b) { return a.operands == b.operands; }
bool operator==(const FilterNot& a, const FilterNot& b) { return a.operand == b.operand; }
bool operator==(const Filter& a, const Filter& b) { return a.node == b.node; }

absl::Status ValidateFilter(const Filter& filter) { return FilterCheck().Check(filter, 1); }

}  // namespace vettore
