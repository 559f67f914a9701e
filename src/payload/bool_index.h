// The payload index of booleans.
#pragma once

#include "payload/field_index.h"

namespace vettore {

// Externally synchronised for writes; any number of concurrent readers.
class BoolIndex final : public FieldIndex {
 public:
  void Add(Slot slot, const Json& value) override;
  void Remove(Slot slot, const Json& value) override;
  IndexAnswer Equals(const Scalar& wanted, SlotBitmap& hits) const override;
  absl::StatusOr<IndexAnswer> Range(const FieldRange& range, const CancelToken& cancel,
                                    SlotBitmap& hits) const override;
  const SlotSet& undecided() const override { return undecided_; }

 private:
  SlotSet true_slots_;
  SlotSet false_slots_;
  const SlotSet undecided_{};  // Stays empty: every boolean has a place.
};

}  // namespace vettore
