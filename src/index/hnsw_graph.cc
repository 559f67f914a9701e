// Searching the HNSW graph.
#include "index/hnsw_graph.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"

namespace vettore {
namespace {

// Between two looks at the cancel token: about a thousand distances.
constexpr size_t kHopsPerPoll = 64;

bool IsNearer(const Candidate& a, const Candidate& b) { return a.distance < b.distance; }
// For the standard heaps, which keep the largest on top: the nearest here.
bool IsFarther(const Candidate& a, const Candidate& b) { return a.distance > b.distance; }

// The start of a vector is fetched ahead; the hardware follows the rest of the stream.
void PrefetchVector(const float* vector, size_t dim) {
  constexpr size_t kLines = 4;
  constexpr size_t kFloatsPerLine = 16;
  for (size_t i = 0; i < std::min(dim, kLines * kFloatsPerLine); i += kFloatsPerLine) {
    __builtin_prefetch(vector + i);
  }
}

}  // namespace

HnswGraph::HnswGraph(const RowStore& rows, const VectorDistance& distance, const HnswConfig& config,
                     uint64_t seed)
    : rows_(rows),
      distance_(distance),
      m_(config.m),
      ef_construction_(config.ef_construction),
      level_scale_(1 / std::log(static_cast<double>(config.m))),
      seed_(seed),
      adjacency_(config.m) {}

void HnswGraph::Measure(const float* query, std::span<Candidate> candidates) const {
  size_t i = 0;
  for (; i + 4 <= candidates.size(); i += 4) {
    const float* vectors[4];
    for (size_t j = 0; j < 4; ++j) vectors[j] = rows_.vector(candidates[i + j].row);
    float distances[4];
    distance_.To4(query, vectors, distances);
    for (size_t j = 0; j < 4; ++j) candidates[i + j].distance = distances[j];
  }
  for (; i < candidates.size(); ++i) {
    candidates[i].distance = distance_(query, rows_.vector(candidates[i].row));
  }
}

void HnswGraph::Expand(const float* query, Row row, int level, SearchScratch& scratch) const {
  scratch.fresh.clear();
  adjacency_.ForEach(row, level, [&](Row neighbor) {
    if (!scratch.visited.Insert(neighbor)) return;
    scratch.fresh.push_back({0, neighbor});
    PrefetchVector(rows_.vector(neighbor), distance_.dim());
  });
  Measure(query, scratch.fresh);
  scratch.distances += scratch.fresh.size();
  ++scratch.hops;
}

Candidate HnswGraph::Descend(const float* query, Adjacency::EntryPoint entry, int level,
                             SearchScratch& scratch) const {
  Candidate nearest{distance_(query, rows_.vector(entry.row)), entry.row};
  ++scratch.distances;
  for (int above = entry.level; above > level; --above) {
    for (bool improved = true; improved;) {
      scratch.fresh.clear();
      adjacency_.ForEach(nearest.row, above, [&](Row neighbor) {
        scratch.fresh.push_back({0, neighbor});
      });
      Measure(query, scratch.fresh);
      scratch.distances += scratch.fresh.size();
      ++scratch.hops;
      const auto best = std::min_element(scratch.fresh.begin(), scratch.fresh.end(), IsNearer);
      improved = best != scratch.fresh.end() && best->distance < nearest.distance;
      if (improved) nearest = *best;
    }
  }
  return nearest;
}

absl::Status HnswGraph::SearchLevel(const float* query, Candidate start, int level, size_t ef,
                                    const CancelToken& cancel, SearchScratch& scratch) const {
  LinearPool& pool = scratch.pool;
  pool.Reset(ef);
  scratch.visited.Reset(rows_.end());
  scratch.visited.Insert(start.row);
  pool.Insert(start);
  size_t hops = 0;
  for (auto nearest = pool.TakeNearest(); nearest.has_value(); nearest = pool.TakeNearest()) {
    if (++hops % kHopsPerPoll == 0) {
      VETTORE_RETURN_IF_ERROR(cancel.Poll());
    }
    Expand(query, nearest->row, level, scratch);
    for (const Candidate& candidate : scratch.fresh) pool.Insert(candidate);
  }
  return absl::OkStatus();
}

absl::Status HnswGraph::Search(const float* query, size_t ef, const CancelToken& cancel,
                               SearchScratch& scratch) const {
  const auto entry = adjacency_.entry();
  if (!entry.has_value()) {
    scratch.pool.Reset(ef);
    return absl::OkStatus();
  }
  return SearchLevel(query, Descend(query, *entry, 0, scratch), 0, ef, cancel, scratch);
}

absl::Status HnswGraph::Search(const float* query, const FilteredSearch& filtered,
                               const CancelToken& cancel, SearchScratch& scratch) const {
  LinearPool& found = scratch.pool;
  found.Reset(filtered.ef);
  const auto entry = adjacency_.entry();
  if (!entry.has_value()) return absl::OkStatus();
  scratch.visited.Reset(rows_.end());
  std::vector<Candidate>& frontier = scratch.frontier;
  frontier.clear();
  const auto meet = [&](const Candidate& candidate) {
    if (!found.Admits(candidate.distance)) return;
    frontier.push_back(candidate);
    std::push_heap(frontier.begin(), frontier.end(), IsFarther);
    if (filtered.admits(candidate.row)) found.Insert(candidate);
  };

  const Candidate start = Descend(query, *entry, 0, scratch);
  scratch.visited.Insert(start.row);
  meet(start);
  for (size_t hops = 1; !frontier.empty() && scratch.distances < filtered.max_distances; ++hops) {
    if (hops % kHopsPerPoll == 0) {
      VETTORE_RETURN_IF_ERROR(cancel.Poll());
    }
    const Candidate nearest = frontier.front();
    if (!found.Admits(nearest.distance)) break;
    std::pop_heap(frontier.begin(), frontier.end(), IsFarther);
    frontier.pop_back();
    Expand(query, nearest.row, 0, scratch);
    for (const Candidate& candidate : scratch.fresh) meet(candidate);
  }
  return absl::OkStatus();
}

}  // namespace vettore
