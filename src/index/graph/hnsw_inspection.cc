// Looking for what must not be in an HNSW graph.
#include <algorithm>
#include <vector>

#include "index/graph/hnsw_graph.h"

namespace vettore {

HnswGraph::Soundness HnswGraph::Inspect(std::span<const Row> rows) const {
  Soundness soundness;
  RowSet inside;
  inside.Reset(rows_.end());
  inside.Insert(rows);
  std::vector<Row> links;
  for (const Row row : rows) {
    for (int level = 0; level <= LevelOf(row); ++level) {
      links.clear();
      adjacency_.ForEach(row, level, [&](Row neighbor) { links.push_back(neighbor); });
      for (const Row neighbor : links) {
        const bool is_stray = !inside.Contains(neighbor) || LevelOf(neighbor) < level;
        soundness.stray_links += is_stray ? 1 : 0;
        soundness.self_links += neighbor == row ? 1 : 0;
      }
      std::sort(links.begin(), links.end());
      const auto repeated = std::unique(links.begin(), links.end());
      soundness.repeated_links += static_cast<size_t>(links.end() - repeated);
    }
  }
  const auto entry = adjacency_.entry();
  RowSet reached;
  reached.Reset(rows_.end());
  if (entry.has_value()) reached.Insert({&entry->row, 1});
  VisitReachable(reached, 0);
  for (const Row row : rows) soundness.unreachable += reached.Contains(row) ? 0 : 1;
  return soundness;
}

}  // namespace vettore
