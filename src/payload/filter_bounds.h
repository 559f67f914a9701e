// What the indexes alone know of a filter: which slots match for sure and which may. Private to
// this room.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "payload/indexed_fields.h"
#include "types/filter.h"
#include "types/slot_bitmap.h"

namespace vettore {

// certain <= the slots that match <= possible, all of them live. A condition without an index
// leaves every slot open; and, or and not combine both bounds, so that each index narrows what must
// be read wherever it stands in the filter.
struct Bounds {
  SlotBitmap certain;
  SlotBitmap possible;  // Unused when `exact`.
  bool exact = true;    // The bounds meet: `certain` is the answer.

  const SlotBitmap& upper() const { return exact ? certain : possible; }
};

// A three-valued evaluation of one filter; recursion is bounded by ValidateFilter. What it is given
// must outlive it. Externally synchronised.
class FilterBounds {
 public:
  FilterBounds(const IndexedFields& fields, const SlotBitmap& live, const FilterSource& source,
               const CancelToken& cancel)
      : fields_(fields), live_(live), source_(source), cancel_(cancel) {}

  absl::StatusOr<Bounds> Of(const Filter& filter);

 private:
  absl::StatusOr<Bounds> OfNode(const FilterAnd& node);
  absl::StatusOr<Bounds> OfNode(const FilterOr& node);
  absl::StatusOr<Bounds> OfNode(const FilterNot& node);
  absl::StatusOr<Bounds> OfNode(const FieldEquals& node);
  absl::StatusOr<Bounds> OfNode(const FieldAnyOf& node);
  absl::StatusOr<Bounds> OfNode(const FieldRange& node);
  absl::StatusOr<Bounds> OfNode(const FieldExists& node);
  absl::StatusOr<Bounds> OfNode(const HasId& node);

  // The bounds of a condition on a field, from the slots that its index says match.
  Bounds OfHits(const IndexedField& field, SlotBitmap hits, IndexAnswer answer) const;
  // Nothing certain, everything possible.
  Bounds Unknown() const { return {SlotBitmap(), live_, false}; }

  const IndexedFields& fields_;
  const SlotBitmap& live_;
  const FilterSource& source_;
  const CancelToken& cancel_;
};

}  // namespace vettore
