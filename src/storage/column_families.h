// The kinds of records and where each lives: one column family a row.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "rocksdb/cache.h"
#include "rocksdb/options.h"

namespace vettore {

// The value of each is the index of its row in kColumnFamilies.
enum class ColumnFamily { kStore, kMeta, kShards, kPoints, kIds, kVectors, kProducers, kOps };

// What a family holds decides how its files are laid out.
enum class ValueShape {
  kSmall,   // In the table files.
  kText,    // Compresses well; large ones in blob files, so that compaction does not carry them.
  kFloats,  // Does not compress; in blob files.
};

struct ColumnFamilyRow {
  ColumnFamily family;
  std::string_view name;
  std::string_view key;    // Grammar; integers are big-endian. SHARD = collection u32, shard u16.
  std::string_view value;  // Grammar; integers are little-endian, v is the version byte 1.
  bool by_shard;           // Every key starts with SHARD.
  ValueShape shape;
};

inline constexpr std::array kColumnFamilies = {
    ColumnFamilyRow{ColumnFamily::kStore, "default", "'commit'", "v, uuid 16 bytes, number u64",
                    false, ValueShape::kSmall},
    ColumnFamilyRow{ColumnFamily::kMeta, "meta", "key bytes", "v, value bytes", false,
                    ValueShape::kSmall},
    ColumnFamilyRow{ColumnFamily::kShards, "shards", "SHARD",
                    "v, applied POSITION, trimmed POSITION, op records u64; "
                    "POSITION = epoch u64, seq u64",
                    true, ValueShape::kSmall},
    ColumnFamilyRow{ColumnFamily::kPoints, "points", "SHARD, slot u32",
                    "v, version u64, ID, payload bytes; ID = size u16, encoded id", true,
                    ValueShape::kText},
    ColumnFamilyRow{ColumnFamily::kIds, "ids", "SHARD, encoded id", "v, slot u32", true,
                    ValueShape::kSmall},
    ColumnFamilyRow{ColumnFamily::kVectors, "vectors", "SHARD, ordinal u16, slot u32",
                    "v, element type u8 (1 = f32), 0 u16, f32 each", true, ValueShape::kFloats},
    ColumnFamilyRow{ColumnFamily::kProducers, "producers", "SHARD, producer bytes",
                    "v, seq u64, POSITION, unix ms i64", true, ValueShape::kSmall},
    ColumnFamilyRow{ColumnFamily::kOps, "ops", "SHARD, epoch u64, seq u64",
                    "v, count u32, then each: kind u8, slot u32, ID", true, ValueShape::kSmall},
};

inline const ColumnFamilyRow& RowOf(ColumnFamily family) {
  return kColumnFamilies[static_cast<size_t>(family)];
}

// The RocksDB options of a family. `block_cache` is shared by all.
rocksdb::ColumnFamilyOptions OptionsOf(const ColumnFamilyRow& row, size_t write_buffer_bytes,
                                       const std::shared_ptr<rocksdb::Cache>& block_cache);

}  // namespace vettore
