// The one interface of this room: which slots match a filter.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "types/collection_config.h"
#include "types/filter.h"
#include "types/json.h"
#include "types/point_id.h"
#include "types/slot_bitmap.h"

namespace vettore {

// Whether a point satisfies a filter; the definition that every index must agree with. `filter` is
// validated.
bool Matches(const Filter& filter, const PointId& id, const Json& payload);

// What a filter is evaluated against where no index answers it.
struct FilterSource {
  // The slot of an id, or kNoSlot.
  std::function<Slot(const PointId&)> slot_of;
  // Calls `visit(slot, id, payload)` for each of `slots` that is live, in ascending order.
  std::function<absl::Status(
      const SlotBitmap& slots,
      const std::function<absl::Status(Slot, const PointId&, const Json&)>& visit)>
      read;
};

struct FilterResult {
  SlotBitmap slots;          // Exactly the live slots that match.
  size_t count = 0;          // Of `slots`.
  size_t payloads_read = 0;  // 0: the indexes alone answered.
};

// The payload indexes of one shard: for each configured field, the slots of each value. Externally
// synchronised for writes; any number of concurrent readers.
class PayloadIndex {
 public:
  static std::unique_ptr<PayloadIndex> Make(std::span<const PayloadIndexConfig> configs);
  virtual ~PayloadIndex() = default;

  // `slot` must not be indexed already. Values of other kinds than the index's are not indexed, and
  // never match it.
  virtual void Add(Slot slot, const Json& payload) = 0;
  // `payload` is what was added.
  virtual void Remove(Slot slot, const Json& payload) = 0;

  // Evaluates exactly: indexed conditions narrow the candidates; what they leave open is decided by
  // Matches on the payloads that `source` reads. `live`: the slots that hold a point.
  virtual absl::StatusOr<FilterResult> Evaluate(const Filter& filter, const SlotBitmap& live,
                                                const FilterSource& source,
                                                const CancelToken& cancel) const = 0;

  // True when no field is indexed, so that writers need not decode the payload they replace.
  virtual bool empty() const = 0;
};

}  // namespace vettore
