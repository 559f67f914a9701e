// Puts, removals and background work of the IVF index.
#include "index/lists/ivf_index.h"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/exceptions.h"
#include "base/log.h"
#include "base/status.h"
#include "index/settle.h"

namespace vettore {
namespace {

constexpr int kMostWorkers = 8;
constexpr std::chrono::milliseconds kCancelPoll(20);
constexpr char kWhat[] = "renew the lists of an index";
// Queries of a batch that are searched together: enough that most lists are met by several, few
// enough that their tables stay in a cache.
constexpr size_t kTogether = 128;

size_t AllowedCount(const IndexSearchOptions& options) {
  if (options.allowed == nullptr) return 0;
  return options.allowed_count > 0 ? options.allowed_count : options.allowed->Count();
}

// Old lists lie scattered among what lives: the allocator would keep their memory.
void GiveBackFreedMemory() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

}  // namespace

IvfIndex::IvfIndex(const VectorConfig& config, const IvfConfig& ivf, const IndexRunOptions& run,
                   std::unique_ptr<VectorFile> file)
    : config_(config),
      distance_(config.metric, config.dimension),
      searcher_(config, ivf),
      rows_(config.dimension, std::move(file)),
      eras_(rows_),
      roster_(rows_, eras_, ivf.nlist),
      builder_(config, ivf, rows_),
      loop_({.call_helpers = [this] { workers_.Wake(workers_.threads()); },
             .stopping = [this] { return workers_.stopping(); }}),
      workers_({.name = "vettore-ivf",
                .threads = BackgroundThreads(run.build_threads, kMostWorkers),
                .work = [this] { return WorkSome(); }}) {}

absl::Status IvfIndex::Put(Slot slot, std::span<const float> vector) {
  VETTORE_RETURN_IF_ERROR(CheckDimension(vector, distance_.dim()));
  size_t backlog = 0;
  {
    TracedLock lock(mutex_);
    VETTORE_ASSIGN_OR_RETURN(const RowStore::Placed placed, rows_.Put(slot, vector));
    roster_.Push(placed.row);
    if (placed.replaced != kNoRow) roster_.NoteKilled(placed.replaced);
    backlog = roster_.backlog();
  }
  workers_.WakeForBacklog(backlog);
  return absl::OkStatus();
}

void IvfIndex::Remove(Slot slot) {
  size_t backlog = 0;
  {
    TracedLock lock(mutex_);
    const Row row = rows_.Remove(slot);
    if (row == kNoRow) return;
    roster_.NoteKilled(row);
    backlog = roster_.backlog();
  }
  workers_.WakeForBacklog(backlog);
}

absl::StatusOr<std::vector<Neighbor>> IvfIndex::Search(std::span<const float> query,
                                                       const IndexSearchOptions& options,
                                                       const CancelToken& cancel,
                                                       IndexSearchTrace* trace) const {
  VETTORE_RETURN_IF_ERROR(CheckDimension(query, distance_.dim()));
  VETTORE_RETURN_IF_ERROR(cancel.Poll());
  IvfRequest request{query, options, options.k, AllowedCount(options), cancel};
  IndexSearchTrace own_trace;
  auto settled = FindSettled(options.k, [&](size_t wanted) -> absl::StatusOr<Settled> {
    request.k = wanted;
    const IvfSnapshot snapshot = SnapshotFor(request);
    VETTORE_ASSIGN_OR_RETURN(const auto found,
                             searcher_.Search({&request, 1}, snapshot, {&own_trace, 1}));
    return Settle(rows_, distance_, query.data(), found.front());
  });
  if (trace != nullptr) *trace = own_trace;
  return settled;
}

IvfSnapshot IvfIndex::SnapshotFor(const IvfRequest& request) const {
  IvfSnapshot snapshot(rows_);
  TracedLock lock(mutex_);
  snapshot.era = eras_.current();
  snapshot.partition = roster_.partition();
  snapshot.version = rows_.version();
  snapshot.live = rows_.live();
  snapshot.listed = roster_.listed();
  snapshot.dead_listed = roster_.dead_listed();
  snapshot.prefers_scan = searcher_.PrefersScan(request, snapshot);
  if (!snapshot.prefers_scan) roster_.CopyUnlisted(snapshot.tail);
  return snapshot;
}

absl::StatusOr<std::vector<std::vector<Neighbor>>> IvfIndex::SearchBatch(
    std::span<const std::span<const float>> queries, const IndexSearchOptions& options,
    const CancelToken& cancel, std::span<IndexSearchTrace> traces) const {
  for (const std::span<const float> query : queries) {
    VETTORE_RETURN_IF_ERROR(CheckDimension(query, distance_.dim()));
  }
  VETTORE_RETURN_IF_ERROR(cancel.Poll());
  std::vector<IndexSearchTrace> own_traces(queries.size());
  std::vector<std::vector<Neighbor>> found(queries.size());
  const size_t allowed_count = AllowedCount(options);
  for (size_t first = 0; first < queries.size() && options.k > 0; first += kTogether) {
    const size_t count = std::min(kTogether, queries.size() - first);
    std::vector<IvfRequest> requests;
    for (const std::span<const float> query : queries.subspan(first, count)) {
      requests.push_back({query, options, options.k, allowed_count, cancel});
    }
    const IvfSnapshot snapshot = SnapshotFor(requests.front());
    VETTORE_ASSIGN_OR_RETURN(
        const std::vector<std::vector<Hit>> hits,
        searcher_.Search(requests, snapshot, std::span(own_traces).subspan(first, count)));
    for (size_t i = 0; i < count; ++i) {
      const size_t at = first + i;
      Settled settled = Settle(rows_, distance_, queries[at].data(), hits[i]);
      if (settled.lost > 0 && settled.neighbors.size() < options.k) {
        VETTORE_ASSIGN_OR_RETURN(found[at], Search(queries[at], options, cancel, &own_traces[at]));
        continue;
      }
      found[at] = std::move(settled.neighbors);
      if (found[at].size() > options.k) found[at].resize(options.k);
    }
  }
  if (!traces.empty()) std::copy(own_traces.begin(), own_traces.end(), traces.begin());
  return found;
}

bool IvfIndex::WorkSome() {
  if (loop_.Help()) return true;
  const absl::StatusOr<bool> worked = CatchExceptions(kWhat, [this]() -> absl::StatusOr<bool> {
    // What is due in a list comes before what makes it longer.
    for (const auto work : {&IvfIndex::RewriteList, &IvfIndex::AssignPortion, &IvfIndex::Rebuild}) {
      VETTORE_ASSIGN_OR_RETURN(const bool did, (this->*work)());
      if (did) return true;
    }
    return false;
  });
  size_t backlog = 0;
  {
    TracedLock lock(mutex_);
    backlog = roster_.backlog();
    worked_.NotifyAll();
  }
  if (!worked.ok()) {
    if (absl::IsCancelled(worked.status())) return false;
    Log(LogLevel::kWarning, "vectors are scanned instead of put into lists",
        {{"waiting", backlog}, {"error", worked.status().ToString()}});
    return false;
  }
  if (*worked) workers_.WakeForBacklog(backlog);
  return *worked;
}

absl::StatusOr<bool> IvfIndex::Rebuild() {
  std::vector<Row> rows;
  {
    TracedLock lock(mutex_);
    if (!roster_.IsRebuildDue()) return false;
    rows = roster_.BeginRebuild();
  }
  const size_t nlist = IvfRoster::ListsFor(rows.size(), searcher_.config().nlist);
  absl::StatusOr<IvfBuilder::Built> built = IvfBuilder::Built();
  if (nlist > 0) {
    built = CatchExceptions(kWhat, [&] { return builder_.Build(rows, nlist, loop_); });
  }
  // The old lists are let go of after the locks.
  IvfPartition old;
  {
    TracedLock structure_lock(structure_mutex_);
    TracedLock lock(mutex_);
    if (!built.ok()) {
      roster_.AbandonRebuild();
      return built.status();
    }
    old = roster_.FinishRebuild(std::move(built->partition), built->squared_residuals);
  }
  built = IvfBuilder::Built();
  old = IvfPartition();
  GiveBackFreedMemory();
  return true;
}

absl::StatusOr<bool> IvfIndex::AssignPortion() {
  std::optional<IvfRoster::Portion> portion;
  {
    TracedLock lock(mutex_);
    portion = roster_.Take();
  }
  if (!portion.has_value()) return false;
  const absl::Status status = CatchExceptions(kWhat, [&]() -> absl::Status {
    AppendPortion(*portion, builder_.Assign(portion->partition, portion->rows));
    return absl::OkStatus();
  });
  if (status.ok()) return true;
  TracedLock lock(mutex_);
  roster_.Return(*portion, {});
  return status;
}

void IvfIndex::AppendPortion(const IvfRoster::Portion& portion, AssignedRows assigned) {
  std::shared_ptr<const IvfTable> replaced;  // Let go of after the locks.
  TracedLock structure_lock(structure_mutex_);
  IvfPartition now;
  {
    TracedLock lock(mutex_);
    now = roster_.partition();
  }
  if (now.coder != portion.partition.coder) {  // A rebuild was faster: the rows wait again.
    TracedLock lock(mutex_);
    roster_.Return(portion, {});
    return;
  }
  // A list may have been split meanwhile.
  if (now.table->centroids != portion.partition.table->centroids) {
    assigned = builder_.Assign(now, portion.rows);
  }
  std::shared_ptr<const IvfTable> longer = IvfBuilder::Append(*now.table, assigned);
  replaced = std::move(now.table);
  TracedLock lock(mutex_);
  roster_.Return(portion, {std::move(longer), assigned.list_of, assigned.squared_residuals});
}

absl::StatusOr<bool> IvfIndex::RewriteList() {
  TracedLock structure_lock(structure_mutex_);
  std::optional<IvfRoster::Due> due;
  {
    TracedLock lock(mutex_);
    due = roster_.TakeDue();
  }
  if (!due.has_value()) return false;
  IvfBuilder::Rewritten rewritten;
  const absl::Status status = CatchExceptions(kWhat, [&]() -> absl::Status {
    rewritten = builder_.Rewrite(*due);
    return absl::OkStatus();
  });
  TracedLock lock(mutex_);
  roster_.ReturnDue(*due, std::move(rewritten.table), rewritten.dropped);
  if (!status.ok()) return status;
  return true;
}

SlotBitmap IvfIndex::Slots() const {
  TracedLock lock(mutex_);
  return rows_.Slots();
}

IndexStats IvfIndex::Stats() const {
  IvfPartition partition;
  IndexStats stats;
  {
    TracedLock lock(mutex_);
    const size_t live = rows_.live();
    // What is too few to train on is not waiting for anything.
    const bool waits = roster_.has_lists() || !roster_.IsSettled(0);
    stats = {.live = live,
             .unindexed = waits ? live - (roster_.listed() - roster_.dead_listed()) : 0,
             .taken = roster_.taken(),
             .tombstones = rows_.end() - live - rows_.released(),
             .memory_bytes = rows_.memory_bytes() + roster_.memory_bytes(),
             .mapped_bytes = rows_.mapped_bytes()};
    partition = roster_.partition();
  }
  if (partition.table != nullptr) {
    stats.memory_bytes += partition.table->memory_bytes() + partition.coder->memory_bytes();
  }
  return stats;
}

absl::Status IvfIndex::WaitUntilIndexed(const CancelToken& cancel) const {
  uint64_t ticket = 0;
  {
    TracedLock lock(mutex_);
    ticket = roster_.last_ticket();
  }
  while (true) {
    size_t backlog = 0;
    {
      TracedLock lock(mutex_);
      if (roster_.IsSettled(ticket)) return absl::OkStatus();
      backlog = roster_.backlog();
    }
    VETTORE_RETURN_IF_ERROR(cancel.Poll());
    // Work may have stopped for want of memory; this tries again.
    workers_.WakeForBacklog(backlog);
    TracedLock lock(mutex_);
    if (roster_.IsSettled(ticket)) return absl::OkStatus();
    worked_.WaitFor(mutex_, kCancelPoll);
  }
}

}  // namespace vettore
