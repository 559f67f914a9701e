#include "index/lists/ivf_inspection.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/strings.h"
#include "index/lists/ivf_index.h"

namespace vettore {
namespace {

// What is met on the way through the lists.
struct Census {
  std::span<const RowStore::Stamp> stamps;
  std::vector<bool> is_listed;  // By row.
  size_t listed = 0;
  size_t dead = 0;
  size_t longest = 0;
};

void InspectList(const IvfList& list, size_t number, Census& census, IndexReport& report) {
  const auto at = [&](Row row) { return StrCat("list ", number, ": row ", row); };
  census.listed += list.size();
  census.longest = std::max(census.longest, list.size());
  for (size_t i = 0; i < list.block_count() * IvfBlock::kRows; ++i) {
    const Row row = list.row(i);
    const float bias = list.block(i / IvfBlock::kRows).biases()[i % IvfBlock::kRows];
    if (i >= list.size()) {
      if (row != kNoRow || std::isfinite(bias)) {
        report.AddFinding(faults::kPadding, [&] { return StrCat("list ", number, ", place ", i); });
      }
      continue;
    }
    if (!std::isfinite(bias)) report.AddFinding(faults::kBias, [&] { return at(row); });
    if (row >= census.stamps.size()) {
      report.AddFinding(faults::kRowOutside, [&] { return at(row); });
      continue;
    }
    if (census.is_listed[row]) report.AddFinding(faults::kRowTwice, [&] { return at(row); });
    census.is_listed[row] = true;
    census.dead += census.stamps[row].is_alive() ? 0 : 1;
  }
}

}  // namespace

void InspectPartition(const IvfPartition& partition, const IvfConfig& config,
                      std::span<const RowStore::Stamp> stamps, IndexReport& report) {
  const IvfTable& table = *partition.table;
  Census census{.stamps = stamps, .is_listed = std::vector<bool>(stamps.size())};
  for (size_t i = 0; i < table.lists.size(); ++i) InspectList(*table.lists[i], i, census, report);
  size_t waiting = 0;
  for (Row row = 0; row < stamps.size(); ++row) {
    waiting += stamps[row].is_alive() && !census.is_listed[row] ? 1 : 0;
  }
  report.Add("lists", table.lists.size());
  report.Add("longest_list", census.longest);
  report.Add("listed", census.listed);
  report.Add("listed_dead", census.dead);
  report.Add("waiting", waiting);

  const std::span<const float> centroids = table.centroids->values();
  const size_t dim = centroids.size() / std::max<size_t>(1, table.lists.size());
  for (size_t i = 0; i < centroids.size(); ++i) {
    if (std::isfinite(centroids[i])) continue;
    report.AddFinding(faults::kCentroid, [&] { return StrCat("list ", i / dim); });
  }
  if ((config.encoding != IvfEncoding::kFlat) != partition.coder->has_codes()) {
    report.AddFinding(faults::kNoCodes, [] { return std::string("all of them"); });
  }
}

absl::StatusOr<IndexReport> IvfIndex::Inspect() {
  std::vector<RowStore::Stamp> stamps;
  IvfPartition partition;
  {
    TracedLock lock(mutex_);
    stamps = rows_.Stamps();
    partition = roster_.partition();
  }
  IndexReport report;
  RowStore::InspectStamps(stamps, report);
  if (partition.table != nullptr) InspectPartition(partition, searcher_.config(), stamps, report);
  return report;
}

}  // namespace vettore
