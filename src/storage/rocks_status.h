// The boundary to RocksDB: its statuses as ours.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "rocksdb/slice.h"
#include "rocksdb/status.h"
#include "storage/column_families.h"

namespace vettore {

// `action` says what was tried: "cannot commit: <RocksDB's words>". OK stays OK.
absl::Status FromRocks(const rocksdb::Status& status, std::string_view action);

// DataLoss that names the record.
absl::Status DamagedRecord(ColumnFamily family, std::string_view key, const absl::Status& why);

inline std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }
inline rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace vettore
