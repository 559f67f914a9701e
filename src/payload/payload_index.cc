#include "payload/payload_index.h"

#include <utility>

#include "base/status.h"
#include "payload/filter_bounds.h"
#include "payload/filter_matcher.h"
#include "payload/indexed_fields.h"

namespace vettore {
namespace {

constexpr size_t kPayloadsAPoll = 256;

// Calls `visit` with the value itself or, where it is an array, with each of its elements.
template <typename Visit>
void ForEachElement(const Json& value, Visit visit) {
  if (!value.is_array()) return visit(value);
  for (const Json& element : value) visit(element);
}

}  // namespace

IndexedFields::IndexedFields(std::span<const PayloadIndexConfig> configs) {
  for (const PayloadIndexConfig& config : configs) {
    fields_.push_back({config.field, MakeFieldIndex(config.kind), SlotBitmap()});
  }
}

void IndexedFields::Add(Slot slot, const Json& payload) {
  for (IndexedField& field : fields_) {
    const Json* value = FindPath(payload, field.path);
    if (value == nullptr || value->is_null()) continue;
    field.present.Insert(slot);
    ForEachElement(*value, [&field, slot](const Json& v) { field.index->Add(slot, v); });
  }
}

void IndexedFields::Remove(Slot slot, const Json& payload) {
  for (IndexedField& field : fields_) {
    const Json* value = FindPath(payload, field.path);
    if (value == nullptr || value->is_null()) continue;
    field.present.Remove(slot);
    ForEachElement(*value, [&field, slot](const Json& v) { field.index->Remove(slot, v); });
  }
}

const IndexedField* IndexedFields::Find(std::string_view path) const {
  for (const IndexedField& field : fields_) {
    if (field.path == path) return &field;
  }
  return nullptr;
}

absl::StatusOr<FilterResult> IndexedFields::Evaluate(const Filter& filter, const SlotBitmap& live,
                                                     const FilterSource& source,
                                                     const CancelToken& cancel) const {
  FilterResult result;
  VETTORE_ASSIGN_OR_RETURN(Bounds bounds, FilterBounds(*this, live, source, cancel).Of(filter));
  if (!bounds.exact) {
    SlotBitmap open = std::move(bounds.possible);
    open.Subtract(bounds.certain);
    const FilterMatcher matcher(filter);
    const auto decide = [&](Slot slot, const PointId& id, const Json& payload) {
      const bool polls = result.payloads_read++ % kPayloadsAPoll == 0;
      if (matcher.Matches(id, payload)) bounds.certain.Insert(slot);
      return polls ? cancel.Poll() : absl::OkStatus();
    };
    if (!open.empty()) {
      VETTORE_RETURN_IF_ERROR(source.read(open, decide));
    }
  }
  result.slots = std::move(bounds.certain);
  result.count = result.slots.Count();
  return result;
}

std::unique_ptr<PayloadIndex> PayloadIndex::Make(std::span<const PayloadIndexConfig> configs) {
  return std::make_unique<IndexedFields>(configs);
}

}  // namespace vettore
