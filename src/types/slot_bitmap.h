// A set of slots, one bit each.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vettore {

// A point's dense internal number within its shard; `id` is the user's.
using Slot = uint32_t;
inline constexpr Slot kNoSlot = 0xFFFFFFFF;

// Slots at or past size() are not in the set. Externally synchronised.
class SlotBitmap {
 public:
  SlotBitmap() = default;
  explicit SlotBitmap(size_t size) : words_((size + 63) / 64), size_(size) {}

  size_t size() const { return size_; }
  void Resize(size_t size) {
    words_.resize((size + 63) / 64);
    if (size < size_ && size % 64 != 0) words_.back() &= (uint64_t{1} << (size % 64)) - 1;
    size_ = size;
  }

  bool Contains(Slot slot) const {
    return slot < size_ && ((words_[slot / 64] >> (slot % 64)) & 1) != 0;
  }
  // Grows when `slot` is past the end.
  void Insert(Slot slot) {
    if (slot >= size_) Resize(size_t{slot} + 1);
    words_[slot / 64] |= uint64_t{1} << (slot % 64);
  }
  void Remove(Slot slot) {
    if (slot < size_) words_[slot / 64] &= ~(uint64_t{1} << (slot % 64));
  }

  // No slot is in the set.
  bool empty() const {
    return std::all_of(words_.begin(), words_.end(), [](uint64_t word) { return word == 0; });
  }
  size_t Count() const {
    size_t count = 0;
    for (const uint64_t word : words_) count += static_cast<size_t>(std::popcount(word));
    return count;
  }

  void IntersectWith(const SlotBitmap& other) {
    for (size_t i = 0; i < words_.size(); ++i) {
      words_[i] &= i < other.words_.size() ? other.words_[i] : 0;
    }
  }
  void UniteWith(const SlotBitmap& other) {
    if (other.size_ > size_) Resize(other.size_);
    for (size_t i = 0; i < other.words_.size(); ++i) words_[i] |= other.words_[i];
  }
  void Subtract(const SlotBitmap& other) {
    for (size_t i = 0; i < words_.size() && i < other.words_.size(); ++i) {
      words_[i] &= ~other.words_[i];
    }
  }

  // Calls `visit(slot)` for each slot in ascending order until it returns false.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
        if (!visit(static_cast<Slot>(i * 64 + static_cast<size_t>(std::countr_zero(word))))) return;
      }
    }
  }

 private:
  std::vector<uint64_t> words_;
  size_t size_ = 0;
};

}  // namespace vettore
