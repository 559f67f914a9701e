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

absl::Status HnswGraph::Load(absl::FunctionRef<bool(Row)> is_inside, ChecksummedReader& in) {
  VETTORE_ASSIGN_OR_RETURN(const GraphHead head, in.ReadOne<GraphHead>());
  // Each row has its links behind it: no number is believed that the file has no room for.
  if (head.extent.rows > std::min<size_t>(in.remaining(), kMostRows) ||
      head.extent.upper_rows > in.remaining()) {
    return absl::DataLossError("the graph is larger than its file");
  }
  std::vector<uint8_t> levels(head.extent.rows, Adjacency::kNotInGraph);
  for (Row row = 0; row < levels.size(); ++row) {
    if (is_inside(row)) levels[row] = static_cast<uint8_t>(LevelOf(row));
  }
  VETTORE_RETURN_IF_ERROR(adjacency_.Load(head.extent, levels, in));
  {
    TracedLock lock(grow_mutex_);
    VETTORE_RETURN_IF_ERROR(codes_.Load(head.extent.rows, in));
  }
  if (head.entry_row == kNoRow) {
    if (adjacency_.rows() == 0) return absl::OkStatus();
  } else if (head.entry_row < levels.size() && levels[head.entry_row] == head.entry_level) {
    adjacency_.set_entry({head.entry_row, static_cast<int>(head.entry_level)});
    return absl::OkStatus();
  }
  return absl::DataLossError(StrCat("row ", head.entry_row, " cannot be the graph's entry"));
}

}  // namespace vettore
