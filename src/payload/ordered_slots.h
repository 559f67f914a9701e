// A map from numbers in order to the slots that hold them: the body of the integer and the float
// index.
#pragma once

#include <cstddef>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "base/cancel.h"
#include "payload/number.h"
#include "payload/slot_set.h"

namespace vettore {

// Number: int64_t or double (no NaN). Externally synchronised for writes; any number of concurrent
// readers.
template <typename Number>
class OrderedSlots {
 public:
  void Insert(Number number, Slot slot) { slots_of_[number].Insert(slot); }

  void Remove(Number number, Slot slot) {
    const auto entry = slots_of_.find(number);
    if (entry == slots_of_.end()) return;
    entry->second.Remove(slot);
    if (entry->second.empty()) slots_of_.erase(entry);
  }

  void AddEqual(Number number, SlotBitmap& hits) const {
    if (const auto entry = slots_of_.find(number); entry != slots_of_.end()) {
      entry->second.AddTo(hits);
    }
  }

  absl::Status AddRange(const FieldRange& range, const CancelToken& cancel,
                        SlotBitmap& hits) const {
    constexpr size_t kValuesAPoll = 4096;
    size_t values = 0;
    for (auto entry = slots_of_.lower_bound(LowerBounds{range}); entry != slots_of_.end();
         ++entry) {
      if (IsPast(entry->first, range)) break;
      if (++values % kValuesAPoll == 0) {
        if (absl::Status status = cancel.Poll(); !status.ok()) return status;
      }
      entry->second.AddTo(hits);
    }
    return absl::OkStatus();
  }

 private:
  // The lower bounds of a range as a search key: a double bound may have no Number of the same
  // value.
  struct LowerBounds {
    const FieldRange& range;
  };
  struct Less {
    using is_transparent = void;
    bool operator()(Number a, Number b) const { return a < b; }
    bool operator()(Number number, const LowerBounds& bounds) const {
      return (bounds.range.gt && Order(number, *bounds.range.gt) <= 0) ||
             (bounds.range.gte && Order(number, *bounds.range.gte) < 0);
    }
    bool operator()(const LowerBounds& bounds, Number number) const {
      return !(*this)(number, bounds);
    }
  };

  static std::partial_ordering Order(int64_t number, double bound) {
    return Compare(number, bound);
  }
  static std::partial_ordering Order(double number, double bound) { return number <=> bound; }

  static bool IsPast(Number number, const FieldRange& range) {
    return (range.lt && Order(number, *range.lt) >= 0) ||
           (range.lte && Order(number, *range.lte) > 0);
  }

  absl::btree_map<Number, SlotSet, Less> slots_of_;
};

}  // namespace vettore
