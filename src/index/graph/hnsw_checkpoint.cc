// Writing the HNSW graph to a checkpoint, and reading it back.
#include <algorithm>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "index/graph/hnsw_graph.h"

namespace vettore {
namespace {

struct GraphHead {
  Adjacency::Extent extent;
  uint32_t entry_row;  // kNoRow: the graph is empty.
  uint32_t entry_level;
};

}  // namespace

absl::Status HnswGraph::Save(ChecksummedWriter& out) const {
  const auto entry = adjacency_.entry().value_or(Adjacency::EntryPoint{});
  const GraphHead head{adjacency_.extent(), entry.row, static_cast<uint32_t>(entry.level)};
  VETTORE_RETURN_IF_ERROR(out.WriteOne(head));
  VETTORE_RETURN_IF_ERROR(adjacency_.Save(head.extent, out));
  return codes_.Save(head.extent.rows, out);
}

absl::Status HnswGraph::Load(ChecksummedReader& in) {
  VETTORE_ASSIGN_OR_RETURN(const GraphHead head, in.ReadOne<GraphHead>());
  // Each row has its links behind it: no number is believed that the file has no room for.
  if (head.extent.rows > std::min<size_t>(in.remaining(), kMostRows) ||
      head.extent.upper_rows > in.remaining()) {
    return absl::DataLossError("the graph is larger than its file");
  }
  if (head.entry_level > kMaxLevel) {
    return absl::DataLossError(StrCat("the graph begins on level ", head.entry_level));
  }
  VETTORE_RETURN_IF_ERROR(adjacency_.Load(head.extent, in));
  {
    TracedLock lock(grow_mutex_);
    VETTORE_RETURN_IF_ERROR(codes_.Load(head.extent.rows, in));
  }
  if (head.entry_row != kNoRow) {
    adjacency_.set_entry({head.entry_row, static_cast<int>(head.entry_level)});
  }
  return absl::OkStatus();
}

std::vector<uint8_t> HnswGraph::LevelsOf(std::span<const uint8_t> in_graph) const {
  std::vector<uint8_t> levels(in_graph.size(), Adjacency::kNotInGraph);
  for (Row row = 0; row < levels.size(); ++row) {
    if (in_graph[row] != 0) levels[row] = static_cast<uint8_t>(LevelOf(row));
  }
  return levels;
}

absl::Status HnswGraph::CheckLoaded(std::span<const uint8_t> in_graph) {
  std::vector<uint8_t> levels = LevelsOf(in_graph);
  const size_t rows = adjacency_.extent().rows;
  for (Row row = static_cast<Row>(rows); row < levels.size(); ++row) {
    if (levels[row] == Adjacency::kNotInGraph) continue;
    return absl::DataLossError("it names rows that its graph does not hold");
  }
  levels.resize(rows, Adjacency::kNotInGraph);
  VETTORE_RETURN_IF_ERROR(adjacency_.CheckLoaded(levels));
  const auto entry = adjacency_.entry();
  if (!entry.has_value()) {
    if (adjacency_.rows() == 0) return absl::OkStatus();
    return absl::DataLossError("the graph has no entry");
  }
  if (entry->row < rows && levels[entry->row] == entry->level) return absl::OkStatus();
  return absl::DataLossError(StrCat("row ", entry->row, " cannot be the graph's entry"));
}

}  // namespace vettore
