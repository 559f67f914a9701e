#include "storage/rocks_status.h"

#include "absl/strings/escaping.h"
#include "base/strings.h"

namespace vettore {
namespace {

absl::StatusCode CodeOf(const rocksdb::Status& status) {
  switch (status.code()) {
    case rocksdb::Status::kOk:
      return absl::StatusCode::kOk;
    case rocksdb::Status::kNotFound:
      return absl::StatusCode::kNotFound;
    case rocksdb::Status::kCorruption:
      return absl::StatusCode::kDataLoss;
    case rocksdb::Status::kIOError:
      return status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit
                 ? absl::StatusCode::kResourceExhausted
                 : absl::StatusCode::kUnavailable;
    case rocksdb::Status::kAborted:
      return status.IsMemoryLimit() ? absl::StatusCode::kResourceExhausted
                                    : absl::StatusCode::kUnavailable;
    case rocksdb::Status::kShutdownInProgress:
    case rocksdb::Status::kTimedOut:
    case rocksdb::Status::kBusy:
    case rocksdb::Status::kTryAgain:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

absl::Status FromRocks(const rocksdb::Status& status, std::string_view action) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(CodeOf(status), StrCat("cannot ", action, ": ", status.ToString()));
}

absl::Status DamagedRecord(ColumnFamily family, std::string_view key, const absl::Status& why) {
  return absl::DataLossError(StrCat("damaged record in '", RowOf(family).name, "', key ",
                                    absl::BytesToHexString(AbslView(key)), ": ", why.message()));
}

}  // namespace vettore
