// Inserting into the HNSW graph.
#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "index/graph/hnsw_graph.h"

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
  {
    TracedLock lock(grow_mutex_);
    VETTORE_RETURN_IF_ERROR(codes_.Grow(size_t{row} + 1));
    VETTORE_RETURN_IF_ERROR(adjacency_.Add(row, level));
  }
  codes_.Prepare(rows_.vector(row), scratch.query);
  codes_.Encode(row, scratch.query);
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
  const int top = std::min(level, entry.level);
  std::vector<std::vector<Candidate>>& neighbors = scratch.neighbors;
  if (neighbors.size() <= static_cast<size_t>(top)) neighbors.resize(static_cast<size_t>(top) + 1);
  Candidate start = Descend(entry, top, scratch);
  for (int at = top; at >= 0; --at) {
    auto& found = neighbors[static_cast<size_t>(at)];
    start = FindNeighbors(row, at, start, scratch, found);
    adjacency_.Replace(row, at, found);
  }
  // From the bottom up, and only now: who reaches this row on a level finds its lists on all levels
  // below complete.
  for (int at = 0; at <= top; ++at) {
    for (const Candidate& neighbor : neighbors[static_cast<size_t>(at)]) {
      LinkBack(row, at, neighbor.row, scratch);
    }
  }
}

void HnswGraph::MeasureVectors(Row row, std::vector<Candidate>& candidates,
                               SearchScratch& scratch) const {
  std::vector<Row> rows;
  rows.reserve(candidates.size());
  for (const Candidate& candidate : candidates) rows.push_back(candidate.row);
  codes_.Prepare(row, scratch.candidate);
  constexpr size_t kBlock = 16;
  const auto block = [&](size_t begin) {
    return std::span(rows).subspan(begin, std::min(kBlock, rows.size() - begin));
  };
  const auto prefetch = [&](size_t begin) {
    if (begin >= rows.size()) return;
    for (const Row other : block(begin)) rows_.Prefetch(other);
  };
  prefetch(0);
  for (size_t begin = 0; begin < rows.size(); begin += kBlock) {
    prefetch(begin + kBlock);
    codes_.Measure(scratch.candidate, block(begin), scratch.compared);
    for (size_t i = 0; i < block(begin).size(); ++i) {
      candidates[begin + i].distance = scratch.compared[i];
    }
  }
  std::sort(candidates.begin(), candidates.end(), IsNearer);
}

void HnswGraph::CollectCandidates(Row row, SearchScratch& scratch,
                                  std::vector<Candidate>& found) const {
  found.clear();
  for (size_t i = 0; i < scratch.pool.size(); ++i) {
    const Candidate candidate = scratch.pool[i];
    if (candidate.row != row && !IsLeaving(candidate.row)) found.push_back(candidate);
  }
}

Candidate HnswGraph::FindNeighbors(Row row, int level, Candidate start, SearchScratch& scratch,
                                   std::vector<Candidate>& neighbors) const {
  // Searches cannot fail: this token never fires.
  SearchLevel(start, level, ef_construction_, CancelToken(), scratch).IgnoreError();
  const Candidate nearest = scratch.pool[0];
  CollectCandidates(row, scratch, neighbors);
  if (neighbors.empty() && level == 0) {
    // All around is about to leave. What stays is found behind it.
    const auto stays = [&](Row other) { return other != row && !IsLeaving(other); };
    Search({m_, stays}, CancelToken(), scratch).IgnoreError();
    CollectCandidates(row, scratch, neighbors);
  }
  if (codes_.compares_vectors()) MeasureVectors(row, neighbors, scratch);
  // A row that comes when the graph is full grown is as good a way through it as the first ones,
  // whose links were chosen among few and reach far, when it has more links in different
  // directions: with m of them recall falls by 0.015 in the first turnover of all rows.
  SelectNeighbors({m_, level == 0 ? m_ + m_ / 2 : m_}, neighbors, scratch);
  return nearest;
}

void HnswGraph::LinkBack(Row row, int level, Row neighbor, SearchScratch& scratch) {
  adjacency_.Lock(neighbor);
  if (!adjacency_.Append(neighbor, level, row)) {
    const size_t capacity = adjacency_.Capacity(level);
    std::vector<Row> linked;
    linked.reserve(capacity + 1);
    adjacency_.ForEach(neighbor, level, [&](Row other) { linked.push_back(other); });
    linked.push_back(row);
    codes_.Prepare(neighbor, scratch.candidate);
    codes_.Measure(scratch.candidate, linked, scratch.compared);
    std::vector<Candidate> candidates;
    candidates.reserve(linked.size());
    for (size_t i = 0; i < linked.size(); ++i)
      candidates.push_back({scratch.compared[i], linked[i]});
    std::sort(candidates.begin(), candidates.end(), IsNearer);
    // Not filled up to the brim: the next links should find room without another selection.
    SelectNeighbors({capacity / 2, capacity}, candidates, scratch);
    adjacency_.Replace(neighbor, level, candidates);
  }
  adjacency_.Unlock(neighbor);
}

bool HnswGraph::IsNearToAny(Row row, float distance, std::span<const Row> kept,
                            SearchScratch& scratch) const {
  if (kept.empty()) return false;
  codes_.Prepare(row, scratch.candidate);
  constexpr size_t kBlock = 4;
  for (size_t begin = 0; begin < kept.size(); begin += kBlock) {
    const auto block = kept.subspan(begin, std::min(kBlock, kept.size() - begin));
    codes_.Measure(scratch.candidate, block, scratch.compared);
    for (size_t i = 0; i < block.size(); ++i) {
      if (scratch.compared[i] <= distance) return true;
    }
  }
  return false;
}

void HnswGraph::SelectNeighbors(Room room, std::vector<Candidate>& candidates,
                                SearchScratch& scratch) const {
  if (candidates.size() <= room.least) return;
  std::vector<Row> kept_rows;
  std::vector<Candidate> kept;
  std::vector<Candidate> others;
  kept_rows.reserve(room.most);
  kept.reserve(room.most);
  for (const Candidate& candidate : candidates) {
    if (kept.size() == room.most) break;
    // A candidate as near to a kept one as to the row itself is reached through that one. Of equal
    // vectors one is kept as a direction; the others may fill up, so that a crowd of equals neither
    // crowds out the way elsewhere nor falls apart.
    if (IsNearToAny(candidate.row, candidate.distance, kept_rows, scratch)) {
      others.push_back(candidate);
    } else {
      kept.push_back(candidate);
      kept_rows.push_back(candidate.row);
    }
  }
  for (size_t i = 0; i < others.size() && kept.size() < room.least; ++i) kept.push_back(others[i]);
  candidates = std::move(kept);
}

}  // namespace vettore
