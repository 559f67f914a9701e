// The indexed fields of one shard and what they say of single conditions. Private to this room.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "payload/field_index.h"
#include "payload/payload_index.h"

namespace vettore {

// A field with its index. `present`: the slots where the field is there and not null.
struct IndexedField {
  std::string path;
  std::unique_ptr<FieldIndex> index;
  SlotBitmap present;
};

// Externally synchronised for writes; any number of concurrent readers.
class IndexedFields final : public PayloadIndex {
 public:
  explicit IndexedFields(std::span<const PayloadIndexConfig> configs);

  void Add(Slot slot, const Json& payload) override;
  void Remove(Slot slot, const Json& payload) override;
  absl::StatusOr<FilterResult> Evaluate(const Filter& filter, const SlotBitmap& live,
                                        const FilterSource& source,
                                        const CancelToken& cancel) const override;
  bool empty() const override { return fields_.empty(); }

  // Null when the field is not indexed.
  const IndexedField* Find(std::string_view path) const;

 private:
  std::vector<IndexedField> fields_;
};

}  // namespace vettore
