// Inserting into the HNSW graph.
#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "index/hnsw_graph.h"

namespace vettore {
namespace {

bool IsNearer(const Candidate& a, const Candidate& b) { return a.distance < b.distance; }

// The output function of SplitMix64 (Steele, Lea & Flood, 2014): a uniform 64-bit value for each
// input.
uint64_t Mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace

int HnswGraph::LevelOf(Row row) const {
  // Uniform in (0, 1]; the level is exponential with scale 1 / ln(m) (section 4.1).
  const double uniform = static_cast<double>((Mix(seed_ ^ Mix(row)) >> 11) + 1) * 0x1p-53;
  return std::min(kMaxLevel, static_cast<int>(-std::log(uniform) * level_scale_));
}

absl::Status HnswGraph::Insert(Row row, SearchScratch& scratch) {
  const int level = LevelOf(row);
  VETTORE_RETURN_IF_ERROR(adjacency_.Add(row, level));
  auto entry = adjacency_.entry();
  if (entry.has_value() && level <= entry->level) {
    InsertBelow(row, level, *entry, scratch);
    return absl::OkStatus();
  }
  TracedLock lock(entry_mutex_);
  entry = adjacency_.entry();
  if (entry.has_value()) InsertBelow(row, level, *entry, scratch);
  if (!entry.has_value() || level > entry->level) adjacency_.set_entry({row, level});
  return absl::OkStatus();
}

void HnswGraph::InsertBelow(Row row, int level, Adjacency::EntryPoint entry,
                            SearchScratch& scratch) {
  const float* const vector = rows_.vector(row);
  const int top = std::min(level, entry.level);
  std::vector<std::vector<Candidate>> neighbors(static_cast<size_t>(top) + 1);
  Candidate start = Descend(vector, entry, top, scratch);
  for (int at = top; at >= 0; --at) {
    // Cannot fail: this token never fires.
    SearchLevel(vector, start, at, ef_construction_, CancelToken(), scratch).IgnoreError();
    start = scratch.pool[0];
    auto& candidates = neighbors[static_cast<size_t>(at)];
    for (size_t i = 0; i < scratch.pool.size(); ++i) candidates.push_back(scratch.pool[i]);
    SelectNeighbors(m_, m_, candidates);
    adjacency_.Replace(row, at, candidates);
  }
  // From the bottom up, and only now: who reaches this row on a level finds its lists on all levels
  // below complete.
  for (int at = 0; at <= top; ++at) {
    for (const Candidate& neighbor : neighbors[static_cast<size_t>(at)]) {
      LinkBack(row, at, neighbor);
    }
  }
}

void HnswGraph::LinkBack(Row row, int level, Candidate neighbor) {
  adjacency_.Lock(neighbor.row);
  if (!adjacency_.Append(neighbor.row, level, row)) {
    std::vector<Candidate> candidates;
    candidates.reserve(adjacency_.Capacity(level) + 1);
    adjacency_.ForEach(neighbor.row, level, [&](Row linked) { candidates.push_back({0, linked}); });
    Measure(rows_.vector(neighbor.row), candidates);
    candidates.push_back({neighbor.distance, row});
    std::sort(candidates.begin(), candidates.end(), IsNearer);
    // Not filled up to the brim: the next links should find room without another selection.
    const size_t capacity = adjacency_.Capacity(level);
    SelectNeighbors(capacity / 2, capacity, candidates);
    adjacency_.Replace(neighbor.row, level, candidates);
  }
  adjacency_.Unlock(neighbor.row);
}

bool HnswGraph::IsNearerToAny(const Candidate& candidate, std::span<const Candidate> kept) const {
  const float* const vector = rows_.vector(candidate.row);
  size_t i = 0;
  for (; i + 4 <= kept.size(); i += 4) {
    const float* vectors[4];
    for (size_t j = 0; j < 4; ++j) vectors[j] = rows_.vector(kept[i + j].row);
    float distances[4];
    distance_.To4(vector, vectors, distances);
    for (const float distance : distances) {
      if (distance <= candidate.distance) return true;
    }
  }
  for (; i < kept.size(); ++i) {
    if (distance_(vector, rows_.vector(kept[i].row)) <= candidate.distance) return true;
  }
  return false;
}

void HnswGraph::SelectNeighbors(size_t least, size_t most,
                                std::vector<Candidate>& candidates) const {
  if (candidates.size() <= least) return;
  std::vector<Candidate> kept;
  std::vector<Candidate> others;
  kept.reserve(most);
  for (const Candidate& candidate : candidates) {
    if (kept.size() == most) break;
    // A candidate as near to a kept one as to the row itself is reached through that one. Of equal
    // vectors one is kept as a direction; the others may fill up, so that a crowd of equals neither
    // crowds out the way elsewhere nor falls apart.
    if (IsNearerToAny(candidate, kept)) {
      others.push_back(candidate);
    } else {
      kept.push_back(candidate);
    }
  }
  for (size_t i = 0; i < others.size() && kept.size() < least; ++i) kept.push_back(others[i]);
  candidates = std::move(kept);
}

}  // namespace vettore
