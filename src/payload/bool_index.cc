#include "payload/bool_index.h"

namespace vettore {

void BoolIndex::Add(Slot slot, const Json& value) {
  if (value.is_boolean()) (value.get<bool>() ? true_slots_ : false_slots_).Insert(slot);
}

void BoolIndex::Remove(Slot slot, const Json& value) {
  if (value.is_boolean()) (value.get<bool>() ? true_slots_ : false_slots_).Remove(slot);
}

IndexAnswer BoolIndex::Equals(const Scalar& wanted, SlotBitmap& hits) const {
  const bool* flag = std::get_if<bool>(&wanted);
  if (flag == nullptr) return IndexAnswer::kCannotAnswer;
  (*flag ? true_slots_ : false_slots_).AddTo(hits);
  return IndexAnswer::kAnswered;
}

absl::StatusOr<IndexAnswer> BoolIndex::Range(const FieldRange&, const CancelToken&,
                                             SlotBitmap&) const {
  return IndexAnswer::kCannotAnswer;
}

}  // namespace vettore
