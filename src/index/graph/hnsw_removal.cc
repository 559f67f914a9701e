// Taking rows out of the HNSW graph.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/status.h"
#include "index/graph/hnsw_graph.h"

namespace vettore {
namespace {

// A row with fewer links after its neighbours left is linked anew.
constexpr size_t kFewLinks = 4;

bool IsNearer(const Candidate& a, const Candidate& b) { return a.distance < b.distance; }

}  // namespace

void HnswGraph::BeginRemoval(std::shared_ptr<const RowSet> leaving, std::span<const Row> staying) {
  VETTORE_CHECK(!staying.empty());
  leaving_ = std::move(leaving);
  if (!IsLeaving(adjacency_.entry()->row)) return;
  const Row highest = *std::max_element(staying.begin(), staying.end(),
                                        [this](Row a, Row b) { return LevelOf(a) < LevelOf(b); });
  adjacency_.set_entry({highest, LevelOf(highest)});
}

void HnswGraph::Bypass(Row row, SearchScratch& scratch) {
  for (int level = 0; level <= LevelOf(row); ++level) BypassList(row, level, scratch);
  size_t links = 0;
  adjacency_.ForEach(row, 0, [&](Row) { ++links; });
  if (links < kFewLinks) Relink(row, scratch);
}

// The links to rows that stay are left alone: to select among all again would thin out lists that
// were filled one by one, and costs recall with each turnover of the graph.
void HnswGraph::BypassList(Row row, int level, SearchScratch& scratch) {
  bool leads_out = false;
  adjacency_.ForEach(row, level, [&](Row neighbor) { leads_out |= IsLeaving(neighbor); });
  if (!leads_out) return;  // And nobody adds such a link any more.
  adjacency_.Lock(row);
  std::vector<Row> staying;
  std::vector<Row> leaving;
  adjacency_.ForEach(row, level, [&](Row neighbor) {
    (IsLeaving(neighbor) ? leaving : staying).push_back(neighbor);
  });
  const Room room{
      .least = std::min(staying.size() + leaving.size(), adjacency_.Capacity(level) / 2),
      .most = staying.size() + leaving.size()};
  codes_.Prepare(row, scratch.query);
  FillUp(room, CollectDetours({row, level}, staying, leaving, scratch), staying, scratch);
  adjacency_.Replace(row, level, staying);
  adjacency_.Unlock(row);
}

std::vector<Candidate> HnswGraph::CollectDetours(List list, std::span<const Row> known,
                                                 std::span<const Row> through,
                                                 SearchScratch& scratch) const {
  scratch.visited.Reset(rows_.end());
  scratch.visited.Insert({&list.row, 1});
  scratch.visited.Insert(known);
  const size_t others = scratch.visited.size();
  {
    RowSet::Inserter visited(scratch.visited, through.size() * adjacency_.Capacity(list.level));
    for (const Row leaving : through) {
      adjacency_.ForEach(leaving, list.level, [&](Row next) {
        if (!IsLeaving(next)) visited.Insert(next);
      });
    }
  }
  codes_.Prefetch(scratch.visited.Since(others));
  const std::span<const Row> rows = Measure({others, scratch.visited.size()}, scratch);
  std::vector<Candidate> detours;
  detours.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) detours.push_back({scratch.measured[i], rows[i]});
  std::sort(detours.begin(), detours.end(), IsNearer);
  return detours;
}

void HnswGraph::FillUp(Room room, std::span<const Candidate> candidates, std::vector<Row>& kept,
                       SearchScratch& scratch) const {
  std::vector<Row> others;
  for (const Candidate& candidate : candidates) {
    if (kept.size() == room.most) return;
    const bool is_near = IsNearToAny(candidate.row, candidate.distance, kept, scratch);
    (is_near ? others : kept).push_back(candidate.row);
  }
  for (size_t i = 0; i < others.size() && kept.size() < room.least; ++i) kept.push_back(others[i]);
}

bool HnswGraph::Links(Row from, Row to) const {
  bool does = false;
  adjacency_.ForEach(from, 0, [&](Row neighbor) { does |= neighbor == to; });
  return does;
}

void HnswGraph::Relink(Row row, SearchScratch& scratch) {
  const auto entry = *adjacency_.entry();
  if (entry.row == row) return;
  codes_.Prepare(row, scratch.query);
  std::vector<Candidate> found;
  FindNeighbors(row, 0, Descend(entry, 0, scratch), scratch, found);
  if (found.empty()) return;  // It is alone.
  adjacency_.Lock(row);
  for (const Candidate& candidate : found) {
    if (!Links(row, candidate.row) && !adjacency_.Append(row, 0, candidate.row)) break;
  }
  adjacency_.Unlock(row);
  bool is_linked = false;
  for (const Candidate& candidate : found) {
    if (!Links(candidate.row, row)) LinkBack(row, 0, candidate.row, scratch);
    is_linked |= Links(candidate.row, row);
  }
  if (is_linked) return;
  // Each has nearer ones in all directions. The link that goes may have been somebody's last; that
  // one is found by the next look at what can be reached.
  adjacency_.Lock(found[0].row);
  adjacency_.ReplaceLast(found[0].row, 0, row);
  adjacency_.Unlock(found[0].row);
}

void HnswGraph::VisitReachable(RowSet& reached, size_t from) const {
  for (; from < reached.size(); ++from) {
    const Row row = reached.Since(from)[0];
    RowSet::Inserter inserter(reached, adjacency_.Capacity(0));
    adjacency_.ForEach(row, 0, [&](Row neighbor) { inserter.Insert(neighbor); });
  }
}

size_t HnswGraph::Reconnect(std::span<const Row> rows, absl::FunctionRef<bool()> is_stopping,
                            SearchScratch& scratch) {
  size_t lost = 0;
  RowSet reached;
  reached.Reset(rows_.end());
  const Row entry = adjacency_.entry()->row;
  reached.Insert({&entry, 1});
  VisitReachable(reached, 0);
  for (const Row row : rows) {
    if (reached.Contains(row)) continue;
    if (is_stopping()) break;
    Relink(row, scratch);
    ++lost;
    const size_t known = reached.size();
    reached.Insert({&row, 1});
    VisitReachable(reached, known);
  }
  return lost;
}

void HnswGraph::EndRemoval() {
  adjacency_.NoteRemoved(leaving_->size());
  leaving_ = nullptr;
}

}  // namespace vettore
