#include "storage/space_reclaimer.h"

#include <string>

#include "base/exceptions.h"
#include "base/log.h"
#include "storage/rocks_status.h"

namespace vettore {

void SpaceReclaimer::Reclaim(ShardKey shard) {
  // Where too many wait already, the ordinary compactions do it.
  thread_.Schedule([this, shard] { Compact(shard); }).IgnoreError();
}

void SpaceReclaimer::Compact(ShardKey shard) {
  const std::string begin = ShardPrefix(shard);
  const std::string end = PrefixEnd(begin);
  const rocksdb::Slice begin_slice(begin);
  const rocksdb::Slice end_slice(end);
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  options.canceled = &stops_;
  for (const ColumnFamilyRow& row : kColumnFamilies) {
    if (stops_) return;
    if (!row.by_shard) continue;
    const absl::Status compacted = CatchExceptions("compact", [&] {
      return FromRocks(
          database_.db().CompactRange(options, database_.handle(row.family), &begin_slice,
                                      end.empty() ? nullptr : &end_slice),
          "compact");
    });
    if (!compacted.ok() && !stops_) {
      Log(LogLevel::kWarning, "space of a dropped shard not reclaimed",
          {{"column_family", row.name}, {"error", compacted.ToString()}});
    }
  }
}

}  // namespace vettore
