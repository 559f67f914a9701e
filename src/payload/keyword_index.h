// The payload index of strings: equality by bytes.
#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "payload/field_index.h"

namespace vettore {

// Externally synchronised for writes; any number of concurrent readers.
class KeywordIndex final : public FieldIndex {
 public:
  void Add(Slot slot, const Json& value) override;
  void Remove(Slot slot, const Json& value) override;
  IndexAnswer Equals(const Scalar& wanted, SlotBitmap& hits) const override;
  absl::StatusOr<IndexAnswer> Range(const FieldRange& range, const CancelToken& cancel,
                                    SlotBitmap& hits) const override;
  const SlotSet& undecided() const override { return undecided_; }

 private:
  absl::flat_hash_map<std::string, SlotSet> slots_of_;
  const SlotSet undecided_{};  // Stays empty: every string has a place.
};

}  // namespace vettore
