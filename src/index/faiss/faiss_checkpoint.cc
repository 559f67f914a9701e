// The FAISS index in a checkpoint: its rows, and what the library built.
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/status.h"
#include "base/strings.h"
#include "index/faiss/faiss_index.h"

namespace vettore {
namespace {

// What the index must be for the checkpoint to be its.
struct Settings {
  uint32_t dim;
  uint32_t metric;
  uint64_t factory_hash;
  friend bool operator==(const Settings&, const Settings&) = default;
};

Settings SettingsOf(const VectorConfig& config, const FaissConfig& faiss) {
  return {.dim = config.dimension,
          .metric = static_cast<uint32_t>(config.metric),
          .factory_hash = Hash64(StrCat(faiss.factory, " ", faiss.search_parameters))};
}

struct Head {
  Settings settings;
  uint64_t rows;
  uint64_t built;
};

// No row has two numbers: what is done with one counts on it.
absl::Status CheckRows(std::span<const Row> built, size_t rows) {
  std::vector<bool> is_built(rows);
  for (const Row row : built) {
    if (row >= rows || is_built[row]) {
      return absl::DataLossError(StrCat("row ", row, " is out of place"));
    }
    is_built[row] = true;
  }
  return absl::OkStatus();
}

void InspectBuild(const FaissBuild& build, std::span<const RowStore::Stamp> stamps,
                  IndexReport& report) {
  std::vector<bool> is_built(stamps.size());
  size_t dead = 0;
  for (const Row row : build.rows) {
    if (row >= stamps.size()) {
      report.AddFinding(faults::kRowOutside, [&] { return StrCat("row ", row); });
      continue;
    }
    if (is_built[row]) report.AddFinding(faults::kRowTwice, [&] { return StrCat("row ", row); });
    is_built[row] = true;
    dead += stamps[row].is_alive() ? 0 : 1;
  }
  report.Add("built", build.rows.size());
  report.Add("built_dead", dead);
  if (build.index->count() == build.rows.size()) return;
  report.AddFinding(faults::kCountDiffers, [&] {
    return StrCat(build.rows.size(), " rows for ", build.index->count(), " vectors");
  });
}

}  // namespace

// A build is immutable: whatever happens to the index, it is as it was.
struct FaissIndex::State {
  std::vector<RowStore::Stamp> stamps;
  std::shared_ptr<const FaissBuild> build;  // Null only where there is none yet.
};

class FaissIndex::Checkpoint : public IndexCheckpoint {
 public:
  Checkpoint(const FaissIndex& index, State state) : index_(index), state_(std::move(state)) {}

  // Behind the head: (rows) stamps, (built) rows in the order of the library's numbers, and what
  // the library writes.
  absl::Status Write(ChecksummedWriter& out) override {
    // What the stamps promise must be on disk before the checkpoint is.
    VETTORE_RETURN_IF_ERROR(index_.rows_.SyncFile());
    const Head head{.settings = SettingsOf(index_.config_, index_.faiss_),
                    .rows = state_.stamps.size(),
                    .built = state_.build->rows.size()};
    VETTORE_RETURN_IF_ERROR(out.WriteOne(head));
    VETTORE_RETURN_IF_ERROR(out.WriteAll<RowStore::Stamp>(state_.stamps));
    VETTORE_RETURN_IF_ERROR(out.WriteAll<Row>(state_.build->rows));
    return state_.build->index->Save(out);
  }

 private:
  const FaissIndex& index_;
  const State state_;
};

absl::StatusOr<std::unique_ptr<IndexCheckpoint>> FaissIndex::BeginCheckpoint() {
  TracedLock lock(mutex_);
  if (!rows_.has_file() || roster_.build() == nullptr) return std::unique_ptr<IndexCheckpoint>();
  VETTORE_RETURN_IF_ERROR(rows_.CheckFile());
  return std::make_unique<Checkpoint>(*this, State{rows_.Stamps(), roster_.build()});
}

absl::StatusOr<FaissIndex::State> FaissIndex::ReadState(ChecksummedReader& in) const {
  VETTORE_ASSIGN_OR_RETURN(const Head head, in.ReadOne<Head>());
  if (head.settings != SettingsOf(config_, faiss_)) {
    return absl::DataLossError("it is of an index with other settings");
  }
  // Each has bytes behind the head: no number is believed that the file has no room for.
  if (head.rows > std::min<size_t>(in.remaining(), kMostRows) || head.built > head.rows ||
      head.built == 0) {
    return absl::DataLossError("it has more rows than room");
  }
  std::vector<RowStore::Stamp> stamps(head.rows);
  VETTORE_RETURN_IF_ERROR(in.ReadAll(std::span(stamps)));
  auto build = std::make_shared<FaissBuild>();
  build->rows.resize(head.built);
  VETTORE_RETURN_IF_ERROR(in.ReadAll(std::span(build->rows)));
  VETTORE_ASSIGN_OR_RETURN(build->index, ForeignIndex::Load(config_, faiss_, in));
  VETTORE_RETURN_IF_ERROR(in.ExpectEnd());
  return State{std::move(stamps), std::move(build)};
}

absl::Status FaissIndex::Restore(ChecksummedReader& in) {
  VETTORE_ASSIGN_OR_RETURN(State state, ReadState(in));
  VETTORE_RETURN_IF_ERROR(CheckRows(state.build->rows, state.stamps.size()));
  if (state.build->index->count() != state.build->rows.size()) {
    return absl::DataLossError("its index of FAISS holds another number of vectors");
  }
  {
    TracedLock lock(mutex_);
    VETTORE_RETURN_IF_ERROR(rows_.Restore(state.stamps));
    roster_.Restore(std::move(state.build));
  }
  workers_.Wake(1);
  return absl::OkStatus();
}

absl::StatusOr<IndexReport> FaissIndex::InspectCheckpoint(const SlotBitmap& changed,
                                                          ChecksummedReader& in) {
  VETTORE_ASSIGN_OR_RETURN(const State state, ReadState(in));
  IndexReport report;
  {
    TracedLock lock(mutex_);
    VETTORE_RETURN_IF_ERROR(rows_.InspectVectors(state.stamps, changed, report));
  }
  InspectBuild(*state.build, state.stamps, report);
  return report;
}

absl::StatusOr<IndexReport> FaissIndex::Inspect() {
  State state;
  {
    TracedLock lock(mutex_);
    state = {rows_.Stamps(), roster_.build()};
  }
  IndexReport report;
  RowStore::InspectStamps(state.stamps, report);
  if (state.build != nullptr) InspectBuild(*state.build, state.stamps, report);
  return report;
}

}  // namespace vettore
