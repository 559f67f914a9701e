#include "payload/keyword_index.h"

namespace vettore {

void KeywordIndex::Add(Slot slot, const Json& value) {
  if (value.is_string()) slots_of_[value.get_ref<const std::string&>()].Insert(slot);
}

void KeywordIndex::Remove(Slot slot, const Json& value) {
  if (!value.is_string()) return;
  const auto entry = slots_of_.find(value.get_ref<const std::string&>());
  if (entry == slots_of_.end()) return;
  entry->second.Remove(slot);
  if (entry->second.empty()) slots_of_.erase(entry);
}

IndexAnswer KeywordIndex::Equals(const Scalar& wanted, SlotBitmap& hits) const {
  const std::string* text = std::get_if<std::string>(&wanted);
  if (text == nullptr) return IndexAnswer::kCannotAnswer;
  if (const auto entry = slots_of_.find(*text); entry != slots_of_.end()) {
    entry->second.AddTo(hits);
  }
  return IndexAnswer::kAnswered;
}

absl::StatusOr<IndexAnswer> KeywordIndex::Range(const FieldRange&, const CancelToken&,
                                                SlotBitmap&) const {
  return IndexAnswer::kCannotAnswer;
}

}  // namespace vettore
