// Puts, removals and linking of the HNSW index.
#include "index/graph/hnsw_index.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "base/log.h"
#include "base/status.h"
#include "index/codes/quantization_choice.h"
#include "index/settle.h"

namespace vettore {
namespace {

// Of the levels: equal data gives equal levels.
constexpr uint64_t kLevelSeed = 20180402;
constexpr int kMostLinkers = 4;
constexpr std::chrono::milliseconds kCancelPoll(20);

}  // namespace

HnswIndex::HnswIndex(const VectorConfig& config, const HnswConfig& hnsw, const IndexRunOptions& run,
                     std::unique_ptr<VectorFile> file)
    : distance_(config.metric, config.dimension),
      config_(hnsw),
      memory_bytes_(run.memory_bytes),
      rows_(config.dimension, std::move(file)),
      eras_(rows_),
      queue_(
          rows_, eras_,
          [this](uint32_t generation, std::span<const Row> sample) {
            return MakeGraph(generation, LearnCodec(sample));
          },
          [this](const HnswGraph& graph) { return IsOutgrown(graph); }),
      workers_({.name = "vettore-link",
                .threads = BackgroundThreads(run.build_threads, kMostLinkers),
                .work = [this] { return LinkSome(); }}) {}

Quantization HnswIndex::PickQuantization() const {
  CodeRoom room{
      .dim = distance_.dim(), .count = rows_.live(), .bytes = std::numeric_limits<size_t>::max()};
  if (memory_bytes_ != 0) {
    room.bytes =
        memory_bytes_ - std::min(memory_bytes_, room.count * Adjacency::RowBytes(config_.m));
  }
  return ResolveQuantization(config_.quantization, room);
}

bool HnswIndex::IsOutgrown(const HnswGraph& graph) const {
  const VectorCodec* const codec = graph.codes().codec();
  if (memory_bytes_ == 0 || codec == nullptr) return false;
  return VectorCodec::RowBytes(PickQuantization(), distance_.dim()) <
         VectorCodec::RowBytes(codec->quantization(), distance_.dim());
}

std::unique_ptr<const VectorCodec> HnswIndex::LearnCodec(std::span<const Row> sample) const {
  const Quantization quantization = PickQuantization();
  if (quantization == Quantization::kNone) return nullptr;
  std::vector<const float*> vectors;
  vectors.reserve(sample.size());
  for (const Row row : sample) vectors.push_back(rows_.vector(row));
  return std::make_unique<VectorCodec>(quantization, distance_.metric(), distance_.dim(), vectors);
}

std::shared_ptr<HnswGraph> HnswIndex::MakeGraph(uint32_t generation,
                                                std::unique_ptr<const VectorCodec> codec) const {
  const HnswGraph::Options options{.config = config_, .seed = kLevelSeed + generation};
  return std::make_shared<HnswGraph>(rows_, distance_, options, std::move(codec));
}

absl::Status HnswIndex::Put(Slot slot, std::span<const float> vector) {
  VETTORE_RETURN_IF_ERROR(CheckDimension(vector, distance_.dim()));
  size_t backlog = 0;
  {
    TracedLock lock(mutex_);
    VETTORE_ASSIGN_OR_RETURN(const RowStore::Placed placed, rows_.Put(slot, vector));
    queue_.Push(placed.row);
    if (placed.replaced != kNoRow) queue_.NoteKilled(placed.replaced);
    backlog = queue_.backlog();
  }
  workers_.WakeForBacklog(backlog);
  return absl::OkStatus();
}

void HnswIndex::Remove(Slot slot) {
  size_t backlog = 0;
  {
    TracedLock lock(mutex_);
    const Row row = rows_.Remove(slot);
    if (row == kNoRow) return;
    queue_.NoteKilled(row);
    backlog = queue_.backlog();
  }
  workers_.WakeForBacklog(backlog);  // The removal may have made a rebuild due.
}

bool HnswIndex::LinkSome() {
  std::optional<LinkQueue::Portion> portion;
  {
    TracedLock lock(mutex_);
    portion = queue_.Take();
  }
  if (!portion.has_value()) {
    linked_.NotifyAll();  // Dead rows may have been passed over.
    return false;
  }
  size_t done = 0;
  const absl::Status status = Do(*portion, done);
  std::shared_ptr<HnswGraph> unused;
  size_t backlog = 0;
  {
    TracedLock lock(mutex_);
    unused = queue_.Return(*portion, done);
    backlog = queue_.backlog();
    linked_.NotifyAll();
  }
  if (!status.ok()) {
    Log(LogLevel::kWarning, "vectors are scanned instead of linked",
        {{"waiting", backlog}, {"error", status.ToString()}});
    return false;
  }
  // Others may have found nothing to take because this portion was out.
  workers_.WakeForBacklog(backlog);
  return true;
}

absl::Status HnswIndex::Do(const LinkQueue::Portion& portion, size_t& done) {
  ScratchPool::Lease scratch(scratches_);
  HnswGraph& graph = *portion.graph;
  if (portion.work == LinkQueue::Work::kReconnect) {
    graph.Reconnect(
        portion.rows, [this] { return workers_.stopping(); }, *scratch);
    done = portion.rows.size();
  }
  for (; done < portion.rows.size() && !workers_.stopping(); ++done) {
    if (portion.work == LinkQueue::Work::kBypass) {
      graph.Bypass(portion.rows[done], *scratch);
    } else {
      VETTORE_RETURN_IF_ERROR(graph.Insert(portion.rows[done], *scratch));
    }
  }
  return absl::OkStatus();
}

SlotBitmap HnswIndex::Slots() const {
  TracedLock lock(mutex_);
  return rows_.Slots();
}

IndexStats HnswIndex::Stats() const {
  TracedLock lock(mutex_);
  const size_t live = rows_.live();
  const VectorCodec* const codec = queue_.graph()->codes().codec();
  return {.live = live,
          .unindexed = live - (queue_.linked() - queue_.dead_linked()),
          .taken = queue_.taken(),
          .tombstones = rows_.end() - live - rows_.released(),
          .memory_bytes = rows_.memory_bytes() + queue_.graph()->memory_bytes(),
          .mapped_bytes = rows_.mapped_bytes(),
          .quantization = codec == nullptr ? Quantization::kNone : codec->quantization()};
}

absl::Status HnswIndex::WaitUntilIndexed(const CancelToken& cancel) const {
  uint64_t ticket = 0;
  {
    TracedLock lock(mutex_);
    ticket = queue_.last_ticket();
  }
  while (true) {
    size_t backlog = 0;
    {
      TracedLock lock(mutex_);
      if (queue_.OldestTicket() > ticket) return absl::OkStatus();
      backlog = queue_.backlog();
    }
    VETTORE_RETURN_IF_ERROR(cancel.Poll());
    // Linking may have stopped for want of memory; this tries again.
    workers_.WakeForBacklog(backlog);
    TracedLock lock(mutex_);
    if (queue_.OldestTicket() > ticket) return absl::OkStatus();
    linked_.WaitFor(mutex_, kCancelPoll);
  }
}

}  // namespace vettore
