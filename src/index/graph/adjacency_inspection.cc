// Looking for what must not be in the links of an HNSW graph.
#include <algorithm>
#include <vector>

#include "base/strings.h"
#include "index/graph/adjacency.h"
#include "index/index_report.h"

namespace vettore {

std::vector<uint8_t> Adjacency::Inspect(std::span<const uint8_t> levels,
                                        IndexReport& report) const {
  const Extent used = extent();
  std::vector<uint8_t> usable(levels.size(), kNotInGraph);
  std::vector<bool> is_taken(used.upper_rows);
  for (Row row = 0; row < levels.size(); ++row) {
    if (levels[row] == kNotInGraph) continue;
    if (row >= used.rows) {
      report.AddFinding(faults::kLevelsMissing, [&] { return StrCat("row ", row, ": no list"); });
      continue;
    }
    const Head head = *heads_.row(row);
    usable[row] = levels[row];
    if (head.levels < levels[row] || head.upper + uint64_t{head.levels} > used.upper_rows) {
      usable[row] = 0;
      report.AddFinding(faults::kLevelsMissing, [&] {
        return StrCat("row ", row, ": ", head.levels, " of ", levels[row], " levels above 0");
      });
      continue;
    }
    bool is_shared = false;
    for (size_t i = head.upper; i < size_t{head.upper} + head.levels; ++i) {
      is_shared |= is_taken[i];
      is_taken[i] = true;
    }
    if (is_shared) report.AddFinding(faults::kListShared, [&] { return StrCat("row ", row); });
  }
  const auto outside = std::count(usable.begin(), usable.end(), kNotInGraph);
  const bool has_others = usable.size() - static_cast<size_t>(outside) > 1;
  size_t links = 0;
  for (Row row = 0; row < levels.size(); ++row) {
    if (usable[row] == kNotInGraph) continue;
    const size_t base_links = InspectList({row, 0}, levels, report);
    if (base_links == 0 && has_others) {
      report.AddFinding(faults::kNoLinks, [&] { return StrCat("row ", row); });
    }
    links += base_links;
    for (int level = 1; level <= usable[row]; ++level) {
      links += InspectList({row, level}, levels, report);
    }
  }
  report.Add("links", links);
  return usable;
}

size_t Adjacency::InspectList(const ListName& name, std::span<const uint8_t> levels,
                              IndexReport& report) const {
  const auto note = [&](std::string_view fault, uint64_t neighbor) {
    report.AddFinding(fault, [&] {
      return StrCat("row ", name.row, ", level ", name.level, ": row ", neighbor);
    });
  };
  const std::span<uint32_t> list(Links(name.row, name.level), Capacity(name.level));
  const auto end = std::find(list.begin(), list.end(), 0U);
  for (auto link = end; link != list.end(); ++link) {
    if (*link != 0) note(faults::kLinkPastEnd, *link - 1);
  }
  std::vector<uint32_t> links(list.begin(), end);
  std::sort(links.begin(), links.end());
  for (size_t i = 0; i < links.size(); ++i) {
    const Row neighbor = links[i] - 1;
    if (neighbor >= levels.size() || levels[neighbor] == kNotInGraph) {
      note(faults::kLinkOutside, neighbor);
    } else if (levels[neighbor] < name.level) {
      note(faults::kLinkAbove, neighbor);
    }
    if (neighbor == name.row) note(faults::kLinkToItself, neighbor);
    if (i > 0 && links[i] == links[i - 1]) note(faults::kLinkRepeated, neighbor);
  }
  return links.size();
}

}  // namespace vettore
