#include "storage/column_families.h"

#include <algorithm>
#include <vector>

#include "rocksdb/convenience.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/table.h"

namespace vettore {
namespace {

// The first of `wanted` that this build of RocksDB has.
rocksdb::CompressionType FirstSupported(std::initializer_list<rocksdb::CompressionType> wanted) {
  const std::vector<rocksdb::CompressionType> have = rocksdb::GetSupportedCompressions();
  for (const rocksdb::CompressionType type : wanted) {
    if (std::find(have.begin(), have.end(), type) != have.end()) return type;
  }
  return rocksdb::kNoCompression;
}

}  // namespace

rocksdb::ColumnFamilyOptions OptionsOf(const ColumnFamilyRow& row, size_t write_buffer_bytes,
                                       const std::shared_ptr<rocksdb::Cache>& block_cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = block_cache;
  table.block_size = 16 << 10;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  table.cache_index_and_filter_blocks = true;  // Their memory stays within the cache's limit.
  table.pin_l0_filter_and_index_blocks_in_cache = true;

  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = write_buffer_bytes;
  options.max_write_buffer_number = 3;
  options.level_compaction_dynamic_level_bytes = true;
  options.optimize_filters_for_hits = true;  // What is asked for by slot is nearly always there.
  const rocksdb::CompressionType fast =
      FirstSupported({rocksdb::kLZ4Compression, rocksdb::kSnappyCompression});
  options.compression = fast;
  options.bottommost_compression =
      FirstSupported({rocksdb::kZSTD, rocksdb::kLZ4Compression, rocksdb::kSnappyCompression});
  if (row.shape == ValueShape::kSmall) return options;

  options.enable_blob_files = true;
  options.enable_blob_garbage_collection = true;
  options.blob_file_size = 256 << 20;
  const bool is_text = row.shape == ValueShape::kText;
  options.min_blob_size = is_text ? 2048 : 256;
  options.blob_compression_type = is_text ? fast : rocksdb::kNoCompression;
  return options;
}

}  // namespace vettore
