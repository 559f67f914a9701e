// Puts, removals and builds of the FAISS index.
#include "index/faiss/faiss_index.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "base/exceptions.h"
#include "base/log.h"
#include "base/status.h"
#include "index/settle.h"
#include "types/faiss_factory.h"

namespace vettore {
namespace {

constexpr int kMostBuilders = 8;
constexpr std::chrono::milliseconds kCancelPoll(20);
// Fewer are scanned as fast as they are searched.
constexpr size_t kFewestRows = 256;
constexpr size_t kRerankOfCodes = 10;
// Of a training: what transforms and codes learn from at least, and for each centroid.
constexpr size_t kSample = 65'536;
constexpr size_t kSamplePerCentroid = 64;
constexpr uint64_t kSampleSeed = 20170228;
constexpr size_t kRowsAtOnce = 8'192;
constexpr char kWhat[] = "build an index of FAISS";

// Of a valid config.
FaissFactory FactoryOf(const VectorConfig& config, const FaissConfig& faiss) {
  return ParseFaissFactory(faiss.factory, config.dimension).value_or(FaissFactory());
}

size_t LeastRows(const FaissFactory& factory) {
  return std::max<size_t>(kFewestRows, factory.least_sample);
}

size_t RerankOf(const FaissConfig& faiss, const FaissFactory& factory) {
  if (faiss.rerank > 0) return faiss.rerank;
  return factory.keeps_vectors ? 1 : kRerankOfCodes;
}

}  // namespace

FaissIndex::FaissIndex(const VectorConfig& config, const FaissConfig& faiss,
                       const IndexRunOptions& run, std::unique_ptr<VectorFile> file)
    : config_(config),
      faiss_(faiss),
      distance_(config.metric, config.dimension),
      inner_product_(Metric::kInnerProduct, config.dimension),
      rerank_(RerankOf(faiss, FactoryOf(config, faiss))),
      build_threads_(BackgroundThreads(run.build_threads, kMostBuilders)),
      rows_(config.dimension, std::move(file)),
      eras_(rows_),
      roster_(rows_, eras_, LeastRows(FactoryOf(config, faiss))),
      workers_({.name = "vettore-faiss", .threads = 1, .work = [this] { return BuildWhenDue(); }}) {
}

absl::Status FaissIndex::Put(Slot slot, std::span<const float> vector) {
  VETTORE_RETURN_IF_ERROR(CheckDimension(vector, distance_.dim()));
  bool is_due = false;
  {
    TracedLock lock(mutex_);
    VETTORE_ASSIGN_OR_RETURN(const RowStore::Placed placed, rows_.Put(slot, vector));
    roster_.Push(placed.row);
    if (placed.replaced != kNoRow) roster_.NoteKilled(placed.replaced);
    is_due = roster_.IsBuildDue();
  }
  if (is_due) workers_.Wake(1);
  return absl::OkStatus();
}

void FaissIndex::Remove(Slot slot) {
  bool is_due = false;
  {
    TracedLock lock(mutex_);
    const Row row = rows_.Remove(slot);
    if (row == kNoRow) return;
    roster_.NoteKilled(row);
    is_due = roster_.IsBuildDue();
  }
  if (is_due) workers_.Wake(1);
}

bool FaissIndex::FitsLibrary(const float* vector) const {
  return -inner_product_(vector, vector) <= ForeignIndex::kMostSquaredLength;
}

bool FaissIndex::BuildWhenDue() {
  std::vector<Row> rows;
  {
    TracedLock lock(mutex_);
    if (!roster_.IsBuildDue()) return false;
    rows = roster_.BeginBuild();
  }
  const auto build = CatchExceptions(kWhat, [&] { return Build(rows); });
  std::shared_ptr<const FaissBuild> old;  // Let go of after the lock.
  {
    TracedLock lock(mutex_);
    if (build.ok()) {
      old = roster_.FinishBuild(*build);
    } else {
      roster_.AbandonBuild();
      failure_ = build.status();
    }
    built_.NotifyAll();
  }
  if (!build.ok() && !absl::IsCancelled(build.status())) {
    Log(LogLevel::kWarning, "vectors are scanned instead of searched by FAISS",
        {{"factory", faiss_.factory},
         {"vectors", rows.size()},
         {"error", build.status().ToString()}});
  }
  return build.ok();
}

absl::StatusOr<std::shared_ptr<const FaissBuild>> FaissIndex::Build(
    std::span<const Row> rows) const {
  auto build = std::make_shared<FaissBuild>();
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(build->rows),
               [this](Row row) { return FitsLibrary(rows_.vector(row)); });
  const FaissFactory factory = FactoryOf(config_, faiss_);
  if (build->rows.size() < LeastRows(factory)) return std::shared_ptr<const FaissBuild>();
  VETTORE_ASSIGN_OR_RETURN(std::unique_ptr<ForeignIndex> index,
                           ForeignIndex::Make(config_, faiss_));
  const auto stopping = [this] { return workers_.stopping(); };
  const ForeignIndex::Run run{.threads = build_threads_, .stopping = stopping};
  std::vector<float> vectors;
  const auto copy = [&](std::span<const Row> some) {
    vectors.clear();
    for (const Row row : some) {
      const float* const vector = rows_.vector(row);
      vectors.insert(vectors.end(), vector, vector + distance_.dim());
    }
  };
  std::vector<Row> sample;
  const size_t wanted = std::max(kSample, kSamplePerCentroid * factory.most_centroids);
  std::sample(build->rows.begin(), build->rows.end(), std::back_inserter(sample),
              static_cast<ptrdiff_t>(wanted), std::mt19937_64(kSampleSeed));
  copy(sample);
  VETTORE_RETURN_IF_ERROR(index->Train(vectors, run));
  const std::span<const Row> all = build->rows;
  for (size_t begin = 0; begin < all.size(); begin += kRowsAtOnce) {
    copy(all.subspan(begin, std::min(kRowsAtOnce, all.size() - begin)));
    VETTORE_RETURN_IF_ERROR(index->Add(vectors, run));
  }
  VETTORE_RETURN_IF_ERROR(index->Seal());
  if (index->count() != all.size()) return absl::InternalError("FAISS lost vectors");
  build->index = std::move(index);
  return build;
}

SlotBitmap FaissIndex::Slots() const {
  TracedLock lock(mutex_);
  return rows_.Slots();
}

IndexStats FaissIndex::Stats() const {
  TracedLock lock(mutex_);
  return {.live = rows_.live(),
          .unindexed = roster_.is_tail_waiting() ? roster_.tail().size() : 0,
          .taken = roster_.taken(),
          .tombstones = rows_.end() - rows_.live() - rows_.released(),
          .memory_bytes = rows_.memory_bytes() + roster_.memory_bytes(),
          .mapped_bytes = rows_.mapped_bytes()};
}

absl::Status FaissIndex::WaitUntilIndexed(const CancelToken& cancel) const {
  uint64_t version = 0;
  {
    TracedLock lock(mutex_);
    version = roster_.put_version();
    roster_.Ask();
  }
  while (true) {
    workers_.Wake(1);
    {
      TracedLock lock(mutex_);
      if (roster_.IsSettled(version)) return absl::OkStatus();
      if (roster_.HasFailed(version)) return failure_;
    }
    VETTORE_RETURN_IF_ERROR(cancel.Poll());
    TracedLock lock(mutex_);
    if (roster_.IsSettled(version)) return absl::OkStatus();
    built_.WaitFor(mutex_, kCancelPoll);
  }
}

}  // namespace vettore
