// Searching the HNSW graph.
#include "index/graph/hnsw_graph.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"

namespace vettore {
namespace {

// Between two looks at the cancel token: about a thousand distances.
constexpr size_t kStepsPerPoll = 64;
// So many candidates are expanded at once. A few more distances than one by one, but their codes
// are fetched side by side instead of one after another.
constexpr size_t kBeam = 4;

// For the standard heaps, which keep the largest on top: the nearest here.
bool IsFarther(const Candidate& a, const Candidate& b) { return a.distance > b.distance; }

}  // namespace

HnswGraph::HnswGraph(const RowStore& rows, const VectorDistance& distance, const Options& options,
                     std::unique_ptr<const VectorCodec> codec)
    : rows_(rows),
      m_(options.config.m),
      ef_construction_(options.config.ef_construction),
      level_scale_(1 / std::log(static_cast<double>(options.config.m))),
      seed_(options.seed),
      adjacency_(options.config.m),
      codes_(rows, distance, std::move(codec)) {}

size_t HnswGraph::memory_bytes() const {
  return adjacency_.memory_bytes() + adjacency_.extent().rows * codes_.row_bytes();
}

void HnswGraph::Visit(std::span<const Row> rows, int level, SearchScratch& scratch) const {
  const size_t known = scratch.visited.size();
  {
    RowSet::Inserter visited(scratch.visited, rows.size() * adjacency_.Capacity(level));
    for (const Row row : rows) {
      adjacency_.ForEach(row, level, [&](Row neighbor) { visited.Insert(neighbor); });
    }
  }
  codes_.Prefetch(scratch.visited.Since(known));
  scratch.hops += rows.size();
}

std::span<const Row> HnswGraph::Measure(Visited visited, SearchScratch& scratch) const {
  const std::span<const Row> rows =
      scratch.visited.Since(visited.first).first(visited.last - visited.first);
  codes_.Measure(scratch.query, rows, scratch.measured);
  scratch.distances += rows.size();
  return rows;
}

Candidate HnswGraph::Descend(Adjacency::EntryPoint entry, int level, SearchScratch& scratch) const {
  codes_.Measure(scratch.query, {&entry.row, 1}, scratch.measured);
  Candidate nearest{scratch.measured[0], entry.row};
  ++scratch.distances;
  for (int above = entry.level; above > level; --above) {
    scratch.visited.Reset(rows_.end());
    for (bool improved = true; improved;) {
      improved = false;
      const Row from = nearest.row;
      const size_t known = scratch.visited.size();
      Visit({&from, 1}, above, scratch);
      const std::span<const Row> rows = Measure({known, scratch.visited.size()}, scratch);
      for (size_t i = 0; i < rows.size(); ++i) {
        if (scratch.measured[i] >= nearest.distance) continue;
        nearest = {scratch.measured[i], rows[i]};
        improved = true;
      }
    }
  }
  return nearest;
}

HnswGraph::Walk::Walk(const HnswGraph& graph, size_t ef, SearchScratch& scratch)
    : Walk(graph, scratch) {
  const auto entry = graph.adjacency_.entry();
  if (entry.has_value()) {
    Begin(graph.Descend(*entry, 0, scratch), 0, ef);
  } else {
    scratch.pool.Reset(ef);
    scratch.visited.Reset(0);
  }
}

void HnswGraph::Walk::Begin(Candidate start, int level, size_t ef) {
  level_ = level;
  scratch_.pool.Reset(ef);
  scratch_.visited.Reset(graph_.rows_.end());
  scratch_.visited.Insert({&start.row, 1});
  scratch_.pool.Insert(start);
  measured_ = scratch_.visited.size();
}

// While the codes of what was visited last are on their way, those visited before are measured.
bool HnswGraph::Walk::Step() {
  LinearPool& pool = scratch_.pool;
  const Adjacency& adjacency = graph_.adjacency_;
  Row beam[kBeam];
  const size_t visited = scratch_.visited.size();
  const size_t taken = pool.TakeNearest(kBeam, beam);
  if (taken == 0 && measured_ == visited) return false;
  graph_.Visit({beam, taken}, level_, scratch_);
  // The links of what comes next, perhaps, are fetched now; those of what is found to come before
  // it, below.
  pool.ForEachNext(2 * kBeam, [&](Row row) { adjacency.Prefetch(row, level_); });
  // The first has nothing before it.
  const size_t until = measured_ == visited ? scratch_.visited.size() : visited;
  const std::span<const Row> rows = graph_.Measure({measured_, until}, scratch_);
  measured_ = until;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (pool.Insert({scratch_.measured[i], rows[i]}) < 2 * kBeam) {
      adjacency.Prefetch(rows[i], level_);
    }
  }
  return true;
}

absl::Status HnswGraph::SearchLevel(Candidate start, int level, size_t ef,
                                    const CancelToken& cancel, SearchScratch& scratch) const {
  Walk walk(*this, scratch);
  walk.Begin(start, level, ef);
  for (size_t steps = 1; walk.Step(); ++steps) {
    if (steps % kStepsPerPoll == 0) {
      VETTORE_RETURN_IF_ERROR(cancel.Poll());
    }
  }
  return absl::OkStatus();
}

absl::Status HnswGraph::Search(const FilteredSearch& filtered, const CancelToken& cancel,
                               SearchScratch& scratch) const {
  LinearPool& found = scratch.pool;
  found.Reset(filtered.ef);
  const auto entry = adjacency_.entry();
  if (!entry.has_value()) return absl::OkStatus();
  std::vector<Candidate>& frontier = scratch.frontier;
  frontier.clear();
  const auto meet = [&](const Candidate& candidate) {
    if (!found.Admits(candidate.distance)) return;
    frontier.push_back(candidate);
    std::push_heap(frontier.begin(), frontier.end(), IsFarther);
    if (filtered.admits(candidate.row)) found.Insert(candidate);
  };

  const Candidate start = Descend(*entry, 0, scratch);
  scratch.visited.Reset(rows_.end());
  scratch.visited.Insert({&start.row, 1});
  meet(start);
  for (size_t hops = 1; !frontier.empty(); ++hops) {
    if (hops % kStepsPerPoll == 0) {
      VETTORE_RETURN_IF_ERROR(cancel.Poll());
    }
    const Candidate nearest = frontier.front();
    if (!found.Admits(nearest.distance)) break;
    std::pop_heap(frontier.begin(), frontier.end(), IsFarther);
    frontier.pop_back();
    const size_t known = scratch.visited.size();
    Visit({&nearest.row, 1}, 0, scratch);
    const std::span<const Row> rows = Measure({known, scratch.visited.size()}, scratch);
    for (size_t i = 0; i < rows.size(); ++i) meet({scratch.measured[i], rows[i]});
  }
  return absl::OkStatus();
}

}  // namespace vettore
