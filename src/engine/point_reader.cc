#include "engine/point_reader.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"
#include "base/strings.h"
#include "engine/filter_evaluation.h"
#include "engine/point_fetch.h"
#include "engine/read_validation.h"
#include "types/limits.h"

namespace vettore {
namespace {

// Up to so many matches of a scroll's filter are sorted in memory; beyond, walking the ids soon
// meets enough of them.
constexpr size_t kMaxSortedMatches = 100'000;
constexpr size_t kIdsPerPoll = 4'096;

}  // namespace

absl::StatusOr<std::vector<std::optional<PointRead>>> PointReader::Get(
    std::span<const PointId> ids, const Selection& selection, const CancelToken& cancel) const {
  if (ids.size() > limits::kBatchPoints) {
    return absl::InvalidArgumentError(StrCat("ids: ", ids.size(), " in one read, at most ",
                                             limits::kBatchPoints, "; split the list"));
  }
  VETTORE_RETURN_IF_ERROR(ValidateSelection(selection, shard_.config));
  return ReadConsistently(shard_, [&](ReadConflict& conflict) {
    shard_.state_mutex.AssertReaderHeld();
    return GetLocked(ids, selection, cancel, conflict);
  });
}

absl::StatusOr<ScrollPage> PointReader::Scroll(const ScrollRequest& request,
                                               const CancelToken& cancel) const {
  VETTORE_RETURN_IF_ERROR(ValidateScroll(request, shard_.config));
  return ReadConsistently(shard_, [&](ReadConflict& conflict) {
    shard_.state_mutex.AssertReaderHeld();
    return ScrollLocked(request, cancel, conflict);
  });
}

absl::StatusOr<uint64_t> PointReader::Count(const std::optional<Filter>& filter,
                                            const CancelToken& cancel) const {
  if (filter) {
    VETTORE_RETURN_IF_ERROR(ValidateFilter(*filter));
  }
  return ReadConsistently(shard_, [&](ReadConflict& conflict) {
    shard_.state_mutex.AssertReaderHeld();
    return CountLocked(filter, cancel, conflict);
  });
}

absl::StatusOr<std::vector<std::optional<PointRead>>> PointReader::GetLocked(
    std::span<const PointId> ids, const Selection& selection, const CancelToken& cancel,
    ReadConflict& conflict) const {
  VETTORE_RETURN_IF_ERROR(shard_.failure);
  // An id may be asked for twice.
  absl::flat_hash_map<Slot, size_t> places;
  std::vector<Slot> slots;
  std::vector<size_t> place_of_id(ids.size(), SIZE_MAX);
  for (size_t i = 0; i < ids.size(); ++i) {
    const Slot slot = shard_.ids.Find(ids[i]);
    if (slot == kNoSlot) continue;
    const auto [place, is_new] = places.try_emplace(slot, slots.size());
    if (is_new) slots.push_back(slot);
    place_of_id[i] = place->second;
  }
  VETTORE_ASSIGN_OR_RETURN(const FetchedPoints fetched,
                           FetchPoints(shard_, slots, selection, cancel, conflict));
  std::vector<std::optional<PointRead>> answers(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    if (place_of_id[i] != SIZE_MAX) answers[i] = fetched.points[place_of_id[i]];
  }
  return answers;
}

absl::StatusOr<ScrollPage> PointReader::ScrollLocked(const ScrollRequest& request,
                                                     const CancelToken& cancel,
                                                     ReadConflict& conflict) const {
  VETTORE_RETURN_IF_ERROR(shard_.failure);
  std::vector<Slot> slots;
  if (request.filter) {
    VETTORE_ASSIGN_OR_RETURN(const FilterResult matches,
                             EvaluateFilter(shard_, *request.filter, cancel, conflict));
    if (matches.count <= kMaxSortedMatches) {
      slots = SortMatches(request, matches.slots);
    } else {
      VETTORE_ASSIGN_OR_RETURN(slots, WalkIds(request, &matches.slots, cancel, conflict));
    }
  } else {
    VETTORE_ASSIGN_OR_RETURN(slots, WalkIds(request, nullptr, cancel, conflict));
  }
  ScrollPage page;
  if (slots.size() > request.limit) {
    page.next = shard_.ids.id(slots.back());
    slots.pop_back();
  }
  VETTORE_ASSIGN_OR_RETURN(FetchedPoints fetched,
                           FetchPoints(shard_, slots, request.selection, cancel, conflict));
  page.points = std::move(fetched.points);
  return page;
}

absl::StatusOr<std::vector<Slot>> PointReader::WalkIds(const ScrollRequest& request,
                                                       const SlotBitmap* allowed,
                                                       const CancelToken& cancel,
                                                       ReadConflict& conflict) const {
  const IdTable* const ids = &shard_.ids;  // Read under the lock that is held here.
  std::vector<Slot> slots;
  size_t visited = 0;
  absl::Status polled;
  VETTORE_RETURN_IF_ERROR(shard_.store->ForEachId(
      shard_.key, request.from ? &*request.from : nullptr, [&](const PointId& id, Slot slot) {
        if (++visited % kIdsPerPoll == 0) polled = cancel.Poll();
        // A point that memory does not show yet is passed over.
        if (ids->live().Contains(slot) && ids->id(slot) == id &&
            (allowed == nullptr || allowed->Contains(slot))) {
          slots.push_back(slot);
        }
        return polled.ok() && slots.size() <= request.limit;
      }));
  VETTORE_RETURN_IF_ERROR(polled);
  // One that memory still shows may have been gone from the walk.
  if (shard_.in_flight.Delete()) {
    conflict.seen = true;
    return absl::AbortedError("a write is being committed");
  }
  return slots;
}

std::vector<Slot> PointReader::SortMatches(const ScrollRequest& request,
                                           const SlotBitmap& matches) const {
  const IdTable* const ids = &shard_.ids;  // Read under the lock that is held here.
  std::vector<Slot> slots;
  matches.ForEach([&](Slot slot) {
    if (!request.from || ids->id(slot) >= *request.from) slots.push_back(slot);
    return true;
  });
  const size_t wanted = std::min<size_t>(slots.size(), request.limit + 1);
  std::partial_sort(slots.begin(), slots.begin() + static_cast<ptrdiff_t>(wanted), slots.end(),
                    [&](Slot a, Slot b) { return ids->id(a) < ids->id(b); });
  slots.resize(wanted);
  return slots;
}

absl::StatusOr<uint64_t> PointReader::CountLocked(const std::optional<Filter>& filter,
                                                  const CancelToken& cancel,
                                                  ReadConflict& conflict) const {
  VETTORE_RETURN_IF_ERROR(shard_.failure);
  if (!filter) return shard_.ids.size();
  VETTORE_ASSIGN_OR_RETURN(const FilterResult matches,
                           EvaluateFilter(shard_, *filter, cancel, conflict));
  return matches.count;
}

}  // namespace vettore
