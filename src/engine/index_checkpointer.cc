#include "engine/index_checkpointer.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "base/exceptions.h"
#include "base/log.h"
#include "engine/index_checkpoint.h"

namespace vettore {
namespace {

// Vectors that a graph takes in about two seconds, and in a fifth of one: what a checkpoint saves
// the next start.
constexpr uint64_t kDueWhileServing = 20'000;
constexpr uint64_t kDueAtClose = 2'000;
// While a collection grows, each checkpoint covers a quarter more than the one before: all of them
// together write about five times the last.
constexpr uint64_t kLeastShare = 4;

bool IsDue(IndexCheckpointer::When when, const IndexStats& stats, uint64_t covered) {
  const uint64_t taken = stats.taken - covered;
  if (when == IndexCheckpointer::When::kClosing) return taken >= kDueAtClose;
  return taken >=
         std::max<uint64_t>(kDueWhileServing, (stats.live - stats.unindexed) / kLeastShare);
}

}  // namespace

IndexCheckpointer::IndexCheckpointer(Shard& shard)
    : shard_(shard), covered_(shard.indexes.size(), 0) {}

void IndexCheckpointer::WriteWhatIsDue(When when) {
  absl::MutexLock lock(&mutex_);
  for (size_t i = 0; i < covered_.size() && !is_closed_; ++i) {
    const IndexStats stats = shard_.indexes[i]->Stats();
    if (!IsDue(when, stats, covered_[i])) continue;
    const absl::Time start = absl::Now();
    const absl::Status written = CatchExceptions("write a checkpoint", [&] {
      return WriteIndexCheckpoint(shard_, static_cast<VectorOrdinal>(i));
    });
    if (!written.ok()) {
      Log(LogLevel::kWarning, "checkpoint not written",
          {{"collection", shard_.key.collection}, {"reason", written.message()}});
      continue;
    }
    covered_[i] = stats.taken;
    Log(LogLevel::kInfo, "checkpoint written",
        {{"collection", shard_.key.collection},
         {"vector", shard_.config.vectors[i].name},
         {"vectors", stats.live},
         {"ms", absl::ToInt64Milliseconds(absl::Now() - start)}});
  }
}

void IndexCheckpointer::Close() {
  absl::MutexLock lock(&mutex_);
  is_closed_ = true;
}

}  // namespace vettore
