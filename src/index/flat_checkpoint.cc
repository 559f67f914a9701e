// The flat index in a checkpoint: which row is whose. The vectors are in their file.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/status.h"
#include "index/flat_index.h"

namespace vettore {
namespace {

// What the index must be for the checkpoint to be its.
struct Settings {
  uint32_t dim;
  uint32_t metric;
  friend bool operator==(const Settings&, const Settings&) = default;
};

struct Head {
  Settings settings;
  uint64_t rows;
};

Settings SettingsOf(const VectorDistance& distance) {
  return {.dim = static_cast<uint32_t>(distance.dim()),
          .metric = static_cast<uint32_t>(distance.metric())};
}

}  // namespace

class FlatIndex::Checkpoint : public IndexCheckpoint {
 public:
  Checkpoint(const FlatIndex& index, std::vector<RowStore::Stamp> stamps)
      : index_(index), stamps_(std::move(stamps)) {}

  // Behind the head: (rows) stamps.
  absl::Status Write(ChecksummedWriter& out) override {
    // What the stamps promise must be on disk before the checkpoint is.
    VETTORE_RETURN_IF_ERROR(index_.rows_.SyncFile());
    VETTORE_RETURN_IF_ERROR(
        out.WriteOne(Head{.settings = SettingsOf(index_.distance_), .rows = stamps_.size()}));
    return out.WriteAll<RowStore::Stamp>(stamps_);
  }

 private:
  const FlatIndex& index_;
  const std::vector<RowStore::Stamp> stamps_;
};

absl::StatusOr<std::unique_ptr<IndexCheckpoint>> FlatIndex::BeginCheckpoint() {
  TracedLock lock(mutex_);
  if (!rows_.has_file()) return std::unique_ptr<IndexCheckpoint>();
  VETTORE_RETURN_IF_ERROR(rows_.CheckFile());
  return std::make_unique<Checkpoint>(*this, rows_.Stamps());
}

absl::StatusOr<std::vector<RowStore::Stamp>> FlatIndex::ReadStamps(ChecksummedReader& in) const {
  VETTORE_ASSIGN_OR_RETURN(const Head head, in.ReadOne<Head>());
  if (head.settings != SettingsOf(distance_)) {
    return absl::DataLossError("it is of an index with other settings");
  }
  // Each has bytes behind the head: no number is believed that the file has no room for.
  if (head.rows > std::min<size_t>(in.remaining() / sizeof(RowStore::Stamp), kMostRows)) {
    return absl::DataLossError("it has more rows than room");
  }
  std::vector<RowStore::Stamp> stamps(head.rows);
  VETTORE_RETURN_IF_ERROR(in.ReadAll(std::span(stamps)));
  VETTORE_RETURN_IF_ERROR(in.ExpectEnd());
  return stamps;
}

absl::Status FlatIndex::Restore(ChecksummedReader& in) {
  VETTORE_ASSIGN_OR_RETURN(const std::vector<RowStore::Stamp> stamps, ReadStamps(in));
  TracedLock lock(mutex_);
  VETTORE_RETURN_IF_ERROR(rows_.Restore(stamps));
  std::vector<Row> unused;
  for (Row row = 0; row < rows_.end(); ++row) {
    if (!rows_.IsAlive(row)) unused.push_back(row);
  }
  rows_.Release(unused);
  return absl::OkStatus();
}

absl::StatusOr<IndexReport> FlatIndex::InspectCheckpoint(const SlotBitmap& changed,
                                                         ChecksummedReader& in) {
  VETTORE_ASSIGN_OR_RETURN(const std::vector<RowStore::Stamp> stamps, ReadStamps(in));
  IndexReport report;
  TracedLock lock(mutex_);
  VETTORE_RETURN_IF_ERROR(rows_.InspectVectors(stamps, changed, report));
  return report;
}

}  // namespace vettore
