// One kind of payload index over one field, and the registry of the kinds. Private to this room.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "payload/slot_set.h"
#include "types/collection_config.h"
#include "types/filter.h"
#include "types/json.h"
#include "types/slot_bitmap.h"

namespace vettore {

// What an index says of a condition. kAnswered: exactly the slots that match were added, those of
// undecided() apart.
enum class IndexAnswer { kAnswered, kCannotAnswer };

// Externally synchronised for writes; any number of concurrent readers.
class FieldIndex {
 public:
  virtual ~FieldIndex() = default;

  // `value`: the field's value, or one element of it where it is an array. Values of kinds that no
  // condition which this index answers can match are passed over. Both are idempotent.
  virtual void Add(Slot slot, const Json& value) = 0;
  virtual void Remove(Slot slot, const Json& value) = 0;

  // Adds to `hits` the slots that hold the value.
  virtual IndexAnswer Equals(const Scalar& wanted, SlotBitmap& hits) const = 0;
  // Adds to `hits` the slots that hold a number within `range`.
  virtual absl::StatusOr<IndexAnswer> Range(const FieldRange& range, const CancelToken& cancel,
                                            SlotBitmap& hits) const = 0;
  // Slots with a value that may match a condition the index answers but has no exact place in it,
  // such as 2.5 under an integer index. Their payloads decide.
  virtual const SlotSet& undecided() const = 0;
};

std::unique_ptr<FieldIndex> MakeFieldIndex(PayloadIndexKind kind);

}  // namespace vettore
