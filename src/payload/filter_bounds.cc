#include "payload/filter_bounds.h"

#include <utility>
#include <variant>

#include "base/status.h"

namespace vettore {
namespace {

constexpr size_t kValuesAPoll = 1024;

void MakeInexact(Bounds& bounds) {
  if (bounds.exact) bounds.possible = bounds.certain;
  bounds.exact = false;
}

}  // namespace

absl::StatusOr<Bounds> FilterBounds::Of(const Filter& filter) {
  VETTORE_RETURN_IF_ERROR(cancel_.Poll());
  return std::visit([this](const auto& node) { return OfNode(node); }, filter.node);
}

absl::StatusOr<Bounds> FilterBounds::OfNode(const FilterAnd& node) {
  Bounds all{live_, SlotBitmap(), true};
  for (const Filter& operand : node.operands) {
    VETTORE_ASSIGN_OR_RETURN(const Bounds bounds, Of(operand));
    if (!bounds.exact) MakeInexact(all);
    if (!all.exact) all.possible.IntersectWith(bounds.upper());
    all.certain.IntersectWith(bounds.certain);
    if (all.upper().empty()) return Bounds();
  }
  return all;
}

absl::StatusOr<Bounds> FilterBounds::OfNode(const FilterOr& node) {
  Bounds any;
  for (const Filter& operand : node.operands) {
    VETTORE_ASSIGN_OR_RETURN(const Bounds bounds, Of(operand));
    if (!bounds.exact) MakeInexact(any);
    if (!any.exact) any.possible.UniteWith(bounds.upper());
    any.certain.UniteWith(bounds.certain);
  }
  return any;
}

absl::StatusOr<Bounds> FilterBounds::OfNode(const FilterNot& node) {
  VETTORE_ASSIGN_OR_RETURN(const Bounds bounds, Of(node.operand.front()));
  Bounds negated{live_, SlotBitmap(), bounds.exact};
  negated.certain.Subtract(bounds.upper());
  if (!bounds.exact) {
    negated.possible = live_;
    negated.possible.Subtract(bounds.certain);
  }
  return negated;
}

absl::StatusOr<Bounds> FilterBounds::OfNode(const FieldEquals& node) {
  const IndexedField* field = fields_.Find(node.field);
  if (field == nullptr) return Unknown();
  SlotBitmap hits(live_.size());
  const IndexAnswer answer = field->index->Equals(node.value, hits);
  return OfHits(*field, std::move(hits), answer);
}

absl::StatusOr<Bounds> FilterBounds::OfNode(const FieldAnyOf& node) {
  const IndexedField* field = fields_.Find(node.field);
  if (field == nullptr) return Unknown();
  SlotBitmap hits(live_.size());
  IndexAnswer answer = IndexAnswer::kAnswered;
  for (size_t i = 0; i < node.values.size(); ++i) {
    if (i % kValuesAPoll == 0) {
      VETTORE_RETURN_IF_ERROR(cancel_.Poll());
    }
    if (field->index->Equals(node.values[i], hits) == IndexAnswer::kCannotAnswer) {
      answer = IndexAnswer::kCannotAnswer;
    }
  }
  return OfHits(*field, std::move(hits), answer);
}

absl::StatusOr<Bounds> FilterBounds::OfNode(const FieldRange& node) {
  const IndexedField* field = fields_.Find(node.field);
  if (field == nullptr) return Unknown();
  SlotBitmap hits(live_.size());
  VETTORE_ASSIGN_OR_RETURN(const IndexAnswer answer, field->index->Range(node, cancel_, hits));
  return OfHits(*field, std::move(hits), answer);
}

absl::StatusOr<Bounds> FilterBounds::OfNode(const FieldExists& node) {
  const IndexedField* field = fields_.Find(node.field);
  if (field == nullptr) return Unknown();
  Bounds bounds{live_, SlotBitmap(), true};
  bounds.certain.IntersectWith(field->present);
  return bounds;
}

absl::StatusOr<Bounds> FilterBounds::OfNode(const HasId& node) {
  Bounds bounds{SlotBitmap(live_.size()), SlotBitmap(), true};
  for (size_t i = 0; i < node.ids.size(); ++i) {
    if (i % kValuesAPoll == 0) {
      VETTORE_RETURN_IF_ERROR(cancel_.Poll());
    }
    const Slot slot = source_.slot_of(node.ids[i]);
    if (slot != kNoSlot && live_.Contains(slot)) bounds.certain.Insert(slot);
  }
  return bounds;
}

Bounds FilterBounds::OfHits(const IndexedField& field, SlotBitmap hits, IndexAnswer answer) const {
  hits.IntersectWith(live_);
  Bounds bounds{std::move(hits), SlotBitmap(), true};
  if (answer == IndexAnswer::kCannotAnswer) {
    // Only a point that has the field can match.
    bounds.exact = false;
    bounds.possible = live_;
    bounds.possible.IntersectWith(field.present);
  } else if (!field.index->undecided().empty()) {
    MakeInexact(bounds);
    field.index->undecided().AddTo(bounds.possible);
    bounds.possible.IntersectWith(live_);
  }
  return bounds;
}

}  // namespace vettore
