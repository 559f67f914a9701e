// The HNSW index in a checkpoint: its rows, its quantizer and its graph.
#include <chrono>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "index/graph/hnsw_index.h"

namespace vettore {
namespace {

// A portion takes a few milliseconds to come back.
constexpr std::chrono::milliseconds kPoll(20);

// Linking a row may cost another one its last link.
constexpr int kLooks = 4;

// What the index must be for the checkpoint to be its.
struct Settings {
  uint32_t dim;
  uint32_t metric;
  uint32_t m;
  uint32_t quantization;
  friend bool operator==(const Settings&, const Settings&) = default;
};

// The graph's: what is wanted, or any that has codes when the index picks for itself.
Quantization QuantizationOf(const Settings& settings, Quantization wanted) {
  if (wanted != Quantization::kAuto) return wanted;
  for (const Quantization picked : {Quantization::kSq4, Quantization::kRaBitQ}) {
    if (settings.quantization == static_cast<uint32_t>(picked)) return picked;
  }
  return Quantization::kSq8;
}

struct Head {
  Settings settings;
  uint32_t generation;
  uint32_t rows;
  uint64_t sampled;
  float relative_error;
  uint32_t zero;
};

}  // namespace

// What is captured of an index, under its lock.
struct HnswIndex::State {
  std::vector<RowStore::Stamp> stamps;
  std::vector<uint8_t> in_graph;  // By row.
  std::shared_ptr<HnswGraph> graph;
  uint32_t generation = 0;

  void Inspect(IndexReport& report) const {
    std::vector<uint8_t> is_alive(stamps.size());
    for (Row row = 0; row < stamps.size(); ++row) is_alive[row] = stamps[row].is_alive() ? 1 : 0;
    graph->Inspect({.in_graph = in_graph, .is_alive = is_alive}, report);
  }
};

// The queue is paused until the graph is written.
class HnswIndex::Checkpoint : public IndexCheckpoint {
 public:
  explicit Checkpoint(HnswIndex& index) : index_(index) {
    TracedLock lock(index_.mutex_);
    index_.queue_.Pause();
  }
  ~Checkpoint() override { Resume(); }
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  void Keep(State state) { state_ = std::move(state); }
  const State& state() const { return state_; }

  // rows, centre and graph behind the head: (rows) stamps, (rows) bytes, (dim) floats; no centre
  // without quantization.
  absl::Status Write(ChecksummedWriter& out) override {
    const VectorCodec* const codec = state_.graph->codes().codec();
    const VectorCodec::Learned learned =
        codec == nullptr ? VectorCodec::Learned() : codec->learned();
    const Quantization quantization =
        codec == nullptr ? Quantization::kNone : codec->quantization();
    const Head head{.settings = SettingsOf(index_, quantization),
                    .generation = state_.generation,
                    .rows = static_cast<uint32_t>(state_.stamps.size()),
                    .sampled = learned.sampled,
                    .relative_error = learned.relative_error,
                    .zero = 0};
    ReconnectRows();
    VETTORE_RETURN_IF_ERROR(out.WriteOne(head));
    VETTORE_RETURN_IF_ERROR(out.WriteAll<RowStore::Stamp>(state_.stamps));
    VETTORE_RETURN_IF_ERROR(out.WriteAll<uint8_t>(state_.in_graph));
    VETTORE_RETURN_IF_ERROR(out.WriteAll<float>(learned.centre));
    VETTORE_RETURN_IF_ERROR(state_.graph->Save(out));
    Resume();
    // What the stamps promise must be on disk before the checkpoint counts.
    return index_.rows_.SyncFile();
  }

  static Settings SettingsOf(const HnswIndex& index, Quantization quantization) {
    return {.dim = static_cast<uint32_t>(index.distance_.dim()),
            .metric = static_cast<uint32_t>(index.distance_.metric()),
            .m = index.config_.m,
            .quantization = static_cast<uint32_t>(quantization)};
  }

 private:
  // An insertion may take the last link that led to another row, and so may what is under way of a
  // removal: what is written can be reached, as far as a few looks find it.
  void ReconnectRows() {
    std::vector<Row> rows;
    for (Row row = 0; row < state_.stamps.size(); ++row) {
      if (state_.in_graph[row] != 0 && state_.stamps[row].is_alive()) rows.push_back(row);
    }
    if (rows.empty()) return;
    const auto is_stopping = [this] { return index_.workers_.stopping(); };
    ScratchPool::Lease scratch(index_.scratches_);
    for (int looks = 0; looks < kLooks; ++looks) {
      if (state_.graph->Reconnect(rows, is_stopping, *scratch) == 0) return;
    }
  }
  void Resume() {
    if (!std::exchange(is_paused_, false)) return;
    size_t backlog = 0;
    {
      TracedLock lock(index_.mutex_);
      index_.queue_.Resume();
      backlog = index_.queue_.backlog();
    }
    index_.workers_.WakeForBacklog(backlog);
  }

  HnswIndex& index_;
  bool is_paused_ = true;
  State state_;
};

absl::StatusOr<std::unique_ptr<HnswIndex::Checkpoint>> HnswIndex::Capture() {
  auto checkpoint = std::make_unique<Checkpoint>(*this);
  TracedLock lock(mutex_);
  while (!queue_.is_still()) {
    if (queue_.is_rebuilding()) return absl::UnavailableError("the graph is being rebuilt");
    linked_.WaitFor(mutex_, kPoll);
  }
  checkpoint->Keep({.stamps = rows_.Stamps(),
                    .in_graph = queue_.InGraph(),
                    .graph = queue_.graph(),
                    .generation = queue_.generation()});
  return checkpoint;
}

absl::StatusOr<std::unique_ptr<IndexCheckpoint>> HnswIndex::BeginCheckpoint() {
  if (!rows_.has_file()) return std::unique_ptr<IndexCheckpoint>();
  VETTORE_RETURN_IF_ERROR(rows_.CheckFile());
  return Capture();
}

absl::StatusOr<IndexReport> HnswIndex::Inspect() {
  VETTORE_ASSIGN_OR_RETURN(const std::unique_ptr<Checkpoint> captured, Capture());
  {
    TracedLock lock(mutex_);
    if (queue_.is_removing()) return absl::UnavailableError("rows are leaving the graph");
  }
  IndexReport report;
  RowStore::InspectStamps(captured->state().stamps, report);
  captured->state().Inspect(report);
  return report;
}

absl::StatusOr<HnswIndex::State> HnswIndex::ReadState(ChecksummedReader& in) const {
  VETTORE_ASSIGN_OR_RETURN(const Head head, in.ReadOne<Head>());
  const Quantization quantization = QuantizationOf(head.settings, config_.quantization);
  if (head.settings != Checkpoint::SettingsOf(*this, quantization)) {
    return absl::DataLossError("it is of an index with other settings");
  }
  // Each row has a stamp behind the head: no number is believed that the file has no room for.
  if (head.rows > in.remaining()) return absl::DataLossError("it has more rows than room");
  State state{.stamps = std::vector<RowStore::Stamp>(head.rows),
              .in_graph = std::vector<uint8_t>(head.rows),
              .graph = nullptr,
              .generation = head.generation};
  VETTORE_RETURN_IF_ERROR(in.ReadAll(std::span(state.stamps)));
  VETTORE_RETURN_IF_ERROR(in.ReadAll(std::span(state.in_graph)));
  std::unique_ptr<const VectorCodec> codec;
  if (quantization != Quantization::kNone) {
    VectorCodec::Learned learned{.sampled = head.sampled, .relative_error = head.relative_error};
    learned.centre.resize(distance_.dim());
    VETTORE_RETURN_IF_ERROR(in.ReadAll(std::span(learned.centre)));
    codec = std::make_unique<VectorCodec>(quantization, distance_.metric(), distance_.dim(),
                                          std::move(learned));
  }
  state.graph = MakeGraph(head.generation, std::move(codec));
  VETTORE_RETURN_IF_ERROR(state.graph->Load(in));
  VETTORE_RETURN_IF_ERROR(in.ExpectEnd());
  return state;
}

absl::Status HnswIndex::Restore(ChecksummedReader& in) {
  VETTORE_ASSIGN_OR_RETURN(const State state, ReadState(in));
  VETTORE_RETURN_IF_ERROR(state.graph->CheckLoaded(state.in_graph));
  size_t backlog = 0;
  {
    TracedLock lock(mutex_);
    VETTORE_RETURN_IF_ERROR(rows_.Restore(state.stamps));
    queue_.Restore(state.generation, state.graph, state.in_graph);
    backlog = queue_.backlog();
  }
  workers_.WakeForBacklog(backlog);
  return absl::OkStatus();
}

absl::StatusOr<IndexReport> HnswIndex::InspectCheckpoint(const SlotBitmap& changed,
                                                         ChecksummedReader& in) {
  VETTORE_ASSIGN_OR_RETURN(const State state, ReadState(in));
  IndexReport report;
  {
    TracedLock lock(mutex_);
    VETTORE_RETURN_IF_ERROR(rows_.InspectVectors(state.stamps, changed, report));
  }
  state.Inspect(report);
  return report;
}

}  // namespace vettore
