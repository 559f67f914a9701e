// Looking for what must not be in an HNSW graph.
#include <algorithm>
#include <vector>

#include "base/strings.h"
#include "index/graph/hnsw_graph.h"
#include "index/index_report.h"

namespace vettore {

void HnswGraph::Inspect(const GraphRows& rows, IndexReport& report) const {
  const std::vector<uint8_t> usable = adjacency_.Inspect(LevelsOf(rows.in_graph), report);
  const size_t inside = static_cast<size_t>(std::count_if(
      usable.begin(), usable.end(), [](uint8_t level) { return level != Adjacency::kNotInGraph; }));
  report.Add("graph_rows", inside);
  int highest = 0;  // Of the living: what leaves may be higher than the entry that is left.
  for (Row row = 0; row < usable.size(); ++row) {
    if (usable[row] != Adjacency::kNotInGraph && rows.is_alive[row] != 0) {
      highest = std::max(highest, static_cast<int>(usable[row]));
    }
  }
  report.Add("highest_level", static_cast<uint64_t>(highest));
  const auto entry = adjacency_.entry();
  if (!entry.has_value()) {
    if (inside > 0) report.AddFinding(faults::kEntryPoint, [] { return "there is none"; });
    return;
  }
  const bool is_inside = entry->row < usable.size() && usable[entry->row] != Adjacency::kNotInGraph;
  if (!is_inside || usable[entry->row] != entry->level || entry->level < highest) {
    report.AddFinding(faults::kEntryPoint, [&] {
      return StrCat("row ", entry->row, " as of level ", entry->level, ": ",
                    is_inside
                        ? StrCat("it has level ", usable[entry->row], ", the highest is ", highest)
                        : std::string("the graph does not hold it"));
    });
  }
  InspectReach(rows, usable, report);
}

// A search begins on a level with some of what can be reached on the level above.
void HnswGraph::InspectReach(const GraphRows& rows, std::span<const uint8_t> usable,
                             IndexReport& report) const {
  const auto entry = *adjacency_.entry();
  RowSet reached;
  reached.Reset(static_cast<Row>(usable.size()));
  reached.Insert({&entry.row, 1});
  for (int level = std::min(entry.level, kMaxLevel); level >= 0; --level) {
    for (size_t i = 0; i < reached.size(); ++i) {
      const Row row = reached.Since(i)[0];
      if (usable[row] == Adjacency::kNotInGraph || usable[row] < level) continue;
      RowSet::Inserter inserter(reached, adjacency_.Capacity(level));
      adjacency_.ForEach(row, level, [&](Row neighbor) { inserter.Insert(neighbor); });
    }
  }
  for (Row row = 0; row < usable.size(); ++row) {
    if (usable[row] == Adjacency::kNotInGraph || rows.is_alive[row] == 0) continue;
    if (reached.Contains(row)) continue;
    report.AddFinding(faults::kUnreachable, [&] { return StrCat("row ", row); });
  }
}

}  // namespace vettore
