// The payload index of numbers as doubles: equality and ranges, by value.
#pragma once

#include <cstdint>

#include "payload/field_index.h"
#include "payload/ordered_slots.h"

namespace vettore {

// Externally synchronised for writes; any number of concurrent readers.
class FloatIndex final : public FieldIndex {
 public:
  void Add(Slot slot, const Json& value) override;
  void Remove(Slot slot, const Json& value) override;
  IndexAnswer Equals(const Scalar& wanted, SlotBitmap& hits) const override;
  absl::StatusOr<IndexAnswer> Range(const FieldRange& range, const CancelToken& cancel,
                                    SlotBitmap& hits) const override;
  const SlotSet& undecided() const override { return undecided_; }

 private:
  OrderedSlots<double> numbers_;
  SlotSet undecided_;  // Integers that no double equals.
};

}  // namespace vettore
