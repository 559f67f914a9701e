// Points in memory with their payload index, and the oracle that judges its answers.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "payload/payload_index.h"

namespace vettore {

// Slots are taken from below; a removed one is used again.
class PointTable {
 public:
  explicit PointTable(std::span<const PayloadIndexConfig> configs)
      : index_(PayloadIndex::Make(configs)) {}

  static PointId IdOf(uint64_t number) { return PointId(number); }

  void Put(uint64_t id, Json payload) {
    Delete(id);
    const Slot slot = free_.empty() ? static_cast<Slot>(next_++) : *free_.begin();
    free_.erase(slot);
    index_->Add(slot, payload);
    live_.Insert(slot);
    points_.emplace(slot, std::pair(IdOf(id), std::move(payload)));
    slots_[id] = slot;
  }
  void Delete(uint64_t id) {
    const auto found = slots_.find(id);
    if (found == slots_.end()) return;
    const Slot slot = found->second;
    index_->Remove(slot, points_.at(slot).second);
    points_.erase(slot);
    live_.Remove(slot);
    free_.insert(slot);
    slots_.erase(found);
  }

  absl::StatusOr<FilterResult> Evaluate(const Filter& filter,
                                        const CancelToken& cancel = CancelToken()) const {
    EXPECT_TRUE(ValidateFilter(filter).ok());
    return index_->Evaluate(filter, live_, Source(), cancel);
  }
  // By Matches, over every point.
  std::vector<Slot> Truth(const Filter& filter) const {
    std::vector<Slot> slots;
    for (const auto& [slot, point] : points_) {
      if (Matches(filter, point.first, point.second)) slots.push_back(slot);
    }
    return slots;
  }
  static std::vector<Slot> SlotsOf(const SlotBitmap& bitmap) {
    std::vector<Slot> slots;
    bitmap.ForEach([&slots](Slot slot) {
      slots.push_back(slot);
      return true;
    });
    return slots;
  }

  size_t size() const { return points_.size(); }
  const PayloadIndex& index() const { return *index_; }

 private:
  FilterSource Source() const {
    FilterSource source;
    source.slot_of = [this](const PointId& id) {
      const auto found = id.is_number() ? slots_.find(id.number()) : slots_.end();
      return found == slots_.end() ? kNoSlot : found->second;
    };
    source.read = [this](const SlotBitmap& slots, const auto& visit) {
      absl::Status status;
      slots.ForEach([&](Slot slot) {
        const auto& [id, payload] = points_.at(slot);  // Throws for a slot that is not live.
        status = visit(slot, id, payload);
        return status.ok();
      });
      return status;
    };
    return source;
  }

  std::unique_ptr<PayloadIndex> index_;
  std::map<Slot, std::pair<PointId, Json>> points_;
  std::map<uint64_t, Slot> slots_;
  std::set<Slot> free_;
  SlotBitmap live_;
  size_t next_ = 0;
};

}  // namespace vettore
