#include "payload/integer_index.h"

#include <optional>

#include "base/status.h"

namespace vettore {
namespace {

std::optional<int64_t> KeyOf(const JsonNumber& number) {
  return number.is_integer ? std::optional<int64_t>(number.integer) : ExactInteger(number.number);
}

}  // namespace

void IntegerIndex::Add(Slot slot, const Json& value) {
  const std::optional<JsonNumber> number = NumberOf(value);
  if (!number) return;
  if (const std::optional<int64_t> key = KeyOf(*number)) {
    numbers_.Insert(*key, slot);
  } else {
    undecided_.Insert(slot);
  }
}

void IntegerIndex::Remove(Slot slot, const Json& value) {
  const std::optional<JsonNumber> number = NumberOf(value);
  if (!number) return;
  if (const std::optional<int64_t> key = KeyOf(*number)) {
    numbers_.Remove(*key, slot);
  } else {
    undecided_.Remove(slot);
  }
}

IndexAnswer IntegerIndex::Equals(const Scalar& wanted, SlotBitmap& hits) const {
  const std::optional<JsonNumber> number = NumberOf(wanted);
  if (!number) return IndexAnswer::kCannotAnswer;
  if (const std::optional<int64_t> key = KeyOf(*number)) numbers_.AddEqual(*key, hits);
  return IndexAnswer::kAnswered;
}

absl::StatusOr<IndexAnswer> IntegerIndex::Range(const FieldRange& range, const CancelToken& cancel,
                                                SlotBitmap& hits) const {
  VETTORE_RETURN_IF_ERROR(numbers_.AddRange(range, cancel, hits));
  return IndexAnswer::kAnswered;
}

}  // namespace vettore
