#include "engine/index_checkpointer.h"

#include <algorithm>
#include <optional>

#include "absl/time/clock.h"
#include "base/exceptions.h"
#include "base/log.h"
#include "base/status.h"
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
// Writes since: the op log, from which a start catches up, keeps a million.
constexpr uint64_t kWritesWhileServing = 400'000;
constexpr uint64_t kWritesAtClose = 50'000;

}  // namespace

IndexCheckpointer::IndexCheckpointer(Shard& shard)
    : shard_(shard), covered_(shard.indexes.size(), Covered{.seq = shard.applied.Get().seq}) {}

bool IndexCheckpointer::IsDue(When when, const IndexStats& stats, uint64_t seq,
                              const Covered& covered) {
  const uint64_t taken = stats.taken - covered.taken;
  const uint64_t writes = seq - covered.seq;
  if (when == When::kClosing) return taken >= kDueAtClose || writes >= kWritesAtClose;
  const uint64_t share = (stats.live - stats.unindexed) / kLeastShare;
  return taken >= std::max(kDueWhileServing, share) || writes >= kWritesWhileServing;
}

absl::Status IndexCheckpointer::WriteOne(size_t ordinal, const IndexStats& stats) {
  const absl::Time start = absl::Now();
  VETTORE_ASSIGN_OR_RETURN(const std::optional<Position> position,
                           WriteIndexCheckpoint(shard_, static_cast<VectorOrdinal>(ordinal)));
  // An index without checkpoints is asked again when as much has changed.
  covered_[ordinal] = {.taken = stats.taken, .seq = position.value_or(shard_.applied.Get()).seq};
  if (!position.has_value()) return absl::OkStatus();
  Log(LogLevel::kInfo, "checkpoint written",
      {{"collection", shard_.key.collection},
       {"vector", shard_.config.vectors[ordinal].name},
       {"vectors", stats.live},
       {"ms", absl::ToInt64Milliseconds(absl::Now() - start)}});
  return absl::OkStatus();
}

void IndexCheckpointer::WriteWhatIsDue(When when) {
  absl::MutexLock lock(&mutex_);
  CatchExceptions("write checkpoints", [&] {
    mutex_.AssertHeld();
    for (size_t i = 0; i < covered_.size() && !is_closed_; ++i) {
      const IndexStats stats = shard_.indexes[i]->Stats();
      if (!IsDue(when, stats, shard_.applied.Get().seq, covered_[i])) continue;
      const absl::Status written = WriteOne(i, stats);
      // Not now: without words, it is tried again.
      if (written.ok() || absl::IsUnavailable(written)) continue;
      Log(LogLevel::kWarning, "checkpoint not written",
          {{"collection", shard_.key.collection}, {"reason", written.message()}});
    }
    return absl::OkStatus();
  }).IgnoreError();
}

void IndexCheckpointer::Close() {
  absl::MutexLock lock(&mutex_);
  is_closed_ = true;
}

}  // namespace vettore
