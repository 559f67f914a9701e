// The IVF index in a checkpoint: its rows, what was trained, and its lists.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "index/lists/ivf_index.h"
#include "index/lists/ivf_inspection.h"

namespace vettore {
namespace {

// What the index must be for the checkpoint to be its.
struct Settings {
  uint32_t dim;
  uint32_t metric;
  uint32_t encoding;
  uint32_t pq_m;
  uint32_t nlist;
  uint32_t opq;
  friend bool operator==(const Settings&, const Settings&) = default;
};

Settings SettingsOf(const VectorConfig& config, const IvfConfig& ivf) {
  return {.dim = config.dimension,
          .metric = static_cast<uint32_t>(config.metric),
          .encoding = static_cast<uint32_t>(ivf.encoding),
          .pq_m = ivf.pq_m,
          .nlist = ivf.nlist,
          .opq = ivf.opq ? 1U : 0U};
}

struct Head {
  Settings settings;
  uint64_t rows;
  uint64_t lists;
  IvfRoster::Progress progress;
};

absl::Status SavePartition(const IvfPartition& partition, ChecksummedWriter& out) {
  VETTORE_RETURN_IF_ERROR(partition.coder->Save(out));
  VETTORE_RETURN_IF_ERROR(out.WriteAll(partition.table->centroids->values()));
  for (const auto& list : partition.table->lists) {
    VETTORE_RETURN_IF_ERROR(out.WriteOne(uint64_t{list->size()}));
    VETTORE_RETURN_IF_ERROR(list->Save(out));
  }
  return absl::OkStatus();
}

// No row is in two lists: what is done with one counts on it.
absl::Status CheckLists(const IvfTable& table, size_t rows) {
  std::vector<bool> is_listed(rows);
  for (const auto& list : table.lists) {
    for (size_t i = 0; i < list->size(); ++i) {
      const Row row = list->row(i);
      if (is_listed[row]) return absl::DataLossError(StrCat("row ", row, " is in two lists"));
      is_listed[row] = true;
    }
  }
  return absl::OkStatus();
}

// end: see IvfList::Load(). The vectors of lists that hold them come from the rows, which must be
// there already.
absl::StatusOr<IvfPartition> LoadPartition(const VectorConfig& config, const IvfBuilder& builder,
                                           const Head& head, std::optional<Row> end,
                                           ChecksummedReader& in) {
  VETTORE_ASSIGN_OR_RETURN(IvfCoder coder, IvfCoder::Load(config, builder.config(), in));
  std::vector<float> centroids(head.lists * config.dimension);
  VETTORE_RETURN_IF_ERROR(in.ReadAll(std::span(centroids)));
  auto table = std::make_shared<IvfTable>();
  table->SetCentroids(Centroids(std::move(centroids), config.dimension), config.metric);
  for (uint64_t i = 0; i < head.lists; ++i) {
    VETTORE_ASSIGN_OR_RETURN(const uint64_t size, in.ReadOne<uint64_t>());
    if (size > head.rows) return absl::DataLossError("a list is longer than there are rows");
    VETTORE_ASSIGN_OR_RETURN(table->lists.emplace_back(),
                             IvfList::Load(builder.ShapeOf(coder), {.rows = size, .end = end}, in));
  }
  return IvfPartition{std::make_shared<IvfCoder>(std::move(coder)), std::move(table)};
}

absl::StatusOr<Head> ReadHead(const Settings& wanted, ChecksummedReader& in) {
  VETTORE_ASSIGN_OR_RETURN(const Head head, in.ReadOne<Head>());
  if (head.settings != wanted) {
    return absl::DataLossError("it is of an index with other settings");
  }
  // Each has bytes behind the head: no number is believed that the file has no room for.
  if (head.rows > std::min<size_t>(in.remaining(), kMostRows) || head.lists == 0 ||
      head.lists > in.remaining() / (wanted.dim * sizeof(float))) {
    return absl::DataLossError("it has more rows or lists than room");
  }
  return head;
}

}  // namespace

// Lists are immutable: whatever happens to the index, they are as they were.
class IvfIndex::Checkpoint : public IndexCheckpoint {
 public:
  struct State {
    std::vector<RowStore::Stamp> stamps;
    IvfPartition partition;
    IvfRoster::Progress progress;
  };
  Checkpoint(const IvfIndex& index, State state) : index_(index), state_(std::move(state)) {}

  // Behind the head: (rows) stamps, what was trained, (lists, dim) centroids, and the lists.
  absl::Status Write(ChecksummedWriter& out) override {
    // What the stamps promise must be on disk before the checkpoint is.
    VETTORE_RETURN_IF_ERROR(index_.rows_.SyncFile());
    const Head head{.settings = SettingsOf(index_.config_, index_.searcher_.config()),
                    .rows = state_.stamps.size(),
                    .lists = state_.partition.table->lists.size(),
                    .progress = state_.progress};
    VETTORE_RETURN_IF_ERROR(out.WriteOne(head));
    VETTORE_RETURN_IF_ERROR(out.WriteAll<RowStore::Stamp>(state_.stamps));
    return SavePartition(state_.partition, out);
  }

 private:
  const IvfIndex& index_;
  const State state_;
};

absl::StatusOr<std::unique_ptr<IndexCheckpoint>> IvfIndex::BeginCheckpoint() {
  TracedLock lock(mutex_);
  if (!rows_.has_file() || !roster_.has_lists()) return std::unique_ptr<IndexCheckpoint>();
  VETTORE_RETURN_IF_ERROR(rows_.CheckFile());
  return std::make_unique<Checkpoint>(
      *this, Checkpoint::State{rows_.Stamps(), roster_.partition(), roster_.progress()});
}

absl::Status IvfIndex::Restore(ChecksummedReader& in) {
  VETTORE_ASSIGN_OR_RETURN(const Head head, ReadHead(SettingsOf(config_, searcher_.config()), in));
  std::vector<RowStore::Stamp> stamps(head.rows);
  VETTORE_RETURN_IF_ERROR(in.ReadAll(std::span(stamps)));
  size_t backlog = 0;
  {
    TracedLock lock(mutex_);
    VETTORE_RETURN_IF_ERROR(rows_.Restore(stamps));
    VETTORE_ASSIGN_OR_RETURN(
        IvfPartition partition,
        LoadPartition(config_, builder_, head, static_cast<Row>(head.rows), in));
    VETTORE_RETURN_IF_ERROR(in.ExpectEnd());
    VETTORE_RETURN_IF_ERROR(CheckLists(*partition.table, head.rows));
    roster_.Restore(std::move(partition), head.progress);
    backlog = roster_.backlog();
  }
  workers_.WakeForBacklog(backlog);
  return absl::OkStatus();
}

absl::StatusOr<IndexReport> IvfIndex::InspectCheckpoint(const SlotBitmap& changed,
                                                        ChecksummedReader& in) {
  VETTORE_ASSIGN_OR_RETURN(const Head head, ReadHead(SettingsOf(config_, searcher_.config()), in));
  std::vector<RowStore::Stamp> stamps(head.rows);
  VETTORE_RETURN_IF_ERROR(in.ReadAll(std::span(stamps)));
  VETTORE_ASSIGN_OR_RETURN(const IvfPartition partition,
                           LoadPartition(config_, builder_, head, std::nullopt, in));
  VETTORE_RETURN_IF_ERROR(in.ExpectEnd());
  IndexReport report;
  {
    TracedLock lock(mutex_);
    VETTORE_RETURN_IF_ERROR(rows_.InspectVectors(stamps, changed, report));
  }
  InspectPartition(partition, searcher_.config(), stamps, report);
  return report;
}

}  // namespace vettore
