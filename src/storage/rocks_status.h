// The boundary to RocksDB: its statuses as ours, and its exceptions caught.
#pragma once

#include <exception>
#include <new>
#include <string_view>

#include "absl/status/status.h"
#include "base/strings.h"
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

// Runs `call`, which returns an absl::Status or StatusOr; what it throws becomes a status.
template <typename Call>
auto CatchExceptions(std::string_view action, Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(StrCat("cannot ", action, ": out of memory"));
  } catch (const std::exception& thrown) {
    return absl::InternalError(StrCat("cannot ", action, ": ", thrown.what()));
  }
}

}  // namespace vettore
