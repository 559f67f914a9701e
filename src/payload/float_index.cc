#include "payload/float_index.h"

#include <optional>

#include "base/status.h"

namespace vettore {
namespace {

std::optional<double> KeyOf(const JsonNumber& number) {
  return number.is_integer ? ExactDouble(number.integer) : std::optional<double>(number.number);
}

}  // namespace

void FloatIndex::Add(Slot slot, const Json& value) {
  const std::optional<JsonNumber> number = NumberOf(value);
  if (!number) return;
  if (const std::optional<double> key = KeyOf(*number)) {
    numbers_.Insert(*key, slot);
  } else {
    undecided_.Insert(slot);
  }
}

void FloatIndex::Remove(Slot slot, const Json& value) {
  const std::optional<JsonNumber> number = NumberOf(value);
  if (!number) return;
  if (const std::optional<double> key = KeyOf(*number)) {
    numbers_.Remove(*key, slot);
  } else {
    undecided_.Remove(slot);
  }
}

IndexAnswer FloatIndex::Equals(const Scalar& wanted, SlotBitmap& hits) const {
  const std::optional<JsonNumber> number = NumberOf(wanted);
  if (!number) return IndexAnswer::kCannotAnswer;
  if (const std::optional<double> key = KeyOf(*number)) numbers_.AddEqual(*key, hits);
  return IndexAnswer::kAnswered;
}

absl::StatusOr<IndexAnswer> FloatIndex::Range(const FieldRange& range, const CancelToken& cancel,
                                              SlotBitmap& hits) const {
  VETTORE_RETURN_IF_ERROR(numbers_.AddRange(range, cancel, hits));
  return IndexAnswer::kAnswered;
}

}  // namespace vettore
