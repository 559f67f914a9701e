#include "engine/index_checkpoint.h"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/checksummed_file.h"
#include "base/log.h"
#include "base/status.h"
#include "base/strings.h"
#include "engine/slot_bound.h"

namespace vettore {
namespace {

constexpr std::string_view kTitle = "vettore index 1\n";
constexpr std::string_view kDamaged = "checkpoint-damaged";
// Beyond the checkpoint itself: what the records want for their next writes.
constexpr uint64_t kSpareBytes = uint64_t{512} << 20;

struct Head {
  uint64_t epoch;
  uint64_t seq;
};

std::string MetaPrefix(ShardKey key) {
  return StrCat("checkpoint/", key.collection, "-", key.shard, "/");
}

std::string MetaKey(const IndexName& name) {
  return StrCat(MetaPrefix(name.key), static_cast<uint16_t>(name.ordinal));
}

std::string MetaKey(const IndexPlace& place) { return MetaKey({place.key, place.ordinal}); }

std::string MetaValue(char which, uint64_t hash) {
  return absl::StrFormat("%c %016x", which, hash);
}

std::filesystem::path FileOf(const std::filesystem::path& folder, char which) {
  return folder / StrCat("checkpoint-", std::string_view(&which, 1));
}

// Whether the file is the one that the record names. DataLoss.
absl::Status CheckNamed(const ChecksummedReader& in, const std::string& record) {
  if (MetaValue(record.front(), in.hash()) == record) return absl::OkStatus();
  return absl::DataLossError("it is not the file that was written last");
}

// Whether a file can cover that position. DataLoss.
absl::Status CheckCovered(Position covered, Position applied) {
  if (covered.epoch != applied.epoch || covered > applied) {
    return absl::DataLossError(StrCat("it covers position ", covered.epoch, ":", covered.seq,
                                      ", the records stand at ", applied.epoch, ":", applied.seq));
  }
  return absl::OkStatus();
}

absl::StatusOr<Position> ReadCovered(ChecksummedReader& in) {
  VETTORE_ASSIGN_OR_RETURN(const Head head, in.ReadOne<Head>());
  return Position{head.epoch, head.seq};
}

// Opens the file that the record names, past its head. DataLoss: it does not fit what the store
// holds.
absl::StatusOr<std::pair<ChecksummedReader, Position>> OpenFile(const std::filesystem::path& folder,
                                                                const std::string& record,
                                                                Position applied) {
  VETTORE_ASSIGN_OR_RETURN(ChecksummedReader in,
                           ChecksummedReader::Open(FileOf(folder, record.front()), kTitle));
  VETTORE_RETURN_IF_ERROR(CheckNamed(in, record));
  VETTORE_ASSIGN_OR_RETURN(const Position covered, ReadCovered(in));
  VETTORE_RETURN_IF_ERROR(CheckCovered(covered, applied));
  return std::pair(std::move(in), covered);
}

absl::StatusOr<SlotBitmap> SlotsChangedSince(const StoreReader& store, ShardKey key,
                                             Position covered, Position applied) {
  SlotBitmap changed;
  const absl::Status visited =
      store.ForEachOps(key, covered, [&](Position, std::span<const Op> ops) -> absl::Status {
        for (const Op& op : ops) {
          VETTORE_RETURN_IF_ERROR(CheckSlot(op.slot, applied));
          changed.Insert(op.slot);
        }
        return absl::OkStatus();
      });
  VETTORE_RETURN_IF_ERROR(visited);
  return changed;
}

absl::StatusOr<OpenedIndex> Restore(const IndexPlace& place, const VectorConfig& config,
                                    const IndexRunOptions& run, const std::string& record) {
  VETTORE_ASSIGN_OR_RETURN(const Position applied, place.store.AppliedPosition(place.key));
  VETTORE_ASSIGN_OR_RETURN(auto opened, OpenFile(run.folder, record, applied));
  auto& [in, covered] = opened;
  OpenedIndex restored{.is_restored = true};
  VETTORE_ASSIGN_OR_RETURN(restored.changed,
                           SlotsChangedSince(place.store, place.key, covered, applied));
  VETTORE_ASSIGN_OR_RETURN(restored.index, RestoreVectorIndex(config, run, in));
  return restored;
}

// Kept for whoever wants to know what happened, until the next checkpoint is written.
void PutAside(const std::filesystem::path& folder, const std::string& record) {
  std::error_code ignored;
  std::filesystem::rename(FileOf(folder, record.front()), folder / kDamaged, ignored);
}

absl::Status CheckRoom(const std::filesystem::path& folder, uint64_t wanted_bytes) {
  std::error_code error;
  const auto space = std::filesystem::space(folder, error);
  if (error || space.available >= wanted_bytes + kSpareBytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(StrCat(folder.string(), ": ", space.available,
                                             " bytes free, a checkpoint wants ",
                                             wanted_bytes + kSpareBytes));
}

}  // namespace

absl::StatusOr<OpenedIndex> OpenIndex(const IndexPlace& place, const VectorConfig& config,
                                      size_t memory_bytes) {
  IndexRunOptions run{.memory_bytes = memory_bytes};
  VETTORE_ASSIGN_OR_RETURN(run.folder, place.store.IndexFolder(place.key, place.ordinal));
  VETTORE_ASSIGN_OR_RETURN(const std::optional<std::string> record,
                           place.store.GetMeta(MetaKey(place)));
  if (record.has_value() && !record->empty()) {
    absl::StatusOr<OpenedIndex> restored = Restore(place, config, run, *record);
    if (restored.ok()) return restored;
    Log(LogLevel::kWarning, "index is built anew",
        {{"collection", place.key.collection},
         {"vector", config.name},
         {"reason", restored.status().ToString()}});
    PutAside(run.folder, *record);
    // Where it cannot be changed, as on a full disk, the next start finds the file missing.
    place.store.ChangeMeta({{{.key = MetaKey(place), .expected = *record, .value = {}}}})
        .IgnoreError();
  }
  OpenedIndex empty;
  VETTORE_ASSIGN_OR_RETURN(empty.index, MakeVectorIndex(config, run));
  return empty;
}

absl::StatusOr<std::optional<Position>> WriteIndexCheckpoint(Shard& shard, VectorOrdinal ordinal) {
  VectorIndex& index = *shard.indexes[static_cast<size_t>(ordinal)];
  const IndexPlace place{*shard.store, shard.key, ordinal};
  VETTORE_ASSIGN_OR_RETURN(const std::filesystem::path folder,
                           place.store.IndexFolder(place.key, ordinal));
  std::unique_ptr<IndexCheckpoint> checkpoint;
  Position covered;
  {
    // No write is applied meanwhile, so that the index stands at the position.
    absl::MutexLock gate(&shard.commit_gate);
    {
      absl::ReaderMutexLock state(&shard.state_mutex);
      VETTORE_RETURN_IF_ERROR(shard.failure);
    }
    covered = shard.applied.Get();
    VETTORE_ASSIGN_OR_RETURN(checkpoint, index.BeginCheckpoint());
  }
  if (checkpoint == nullptr) return std::optional<Position>();
  VETTORE_RETURN_IF_ERROR(CheckRoom(folder, index.Stats().memory_bytes));

  VETTORE_ASSIGN_OR_RETURN(const std::optional<std::string> record,
                           place.store.GetMeta(MetaKey(place)));
  const char which = record.has_value() && record->starts_with('0') ? '1' : '0';
  VETTORE_ASSIGN_OR_RETURN(ChecksummedWriter out,
                           ChecksummedWriter::Create(FileOf(folder, which), kTitle));
  VETTORE_RETURN_IF_ERROR(out.WriteOne(Head{covered.epoch, covered.seq}));
  VETTORE_RETURN_IF_ERROR(checkpoint->Write(out));
  checkpoint.reset();
  VETTORE_ASSIGN_OR_RETURN(const uint64_t hash, out.Finish());
  // Metadata is durable, and with it all that was committed before: the writes that are covered.
  VETTORE_RETURN_IF_ERROR(place.store.ChangeMeta(
      {{{.key = MetaKey(place), .expected = record, .value = MetaValue(which, hash)}}}));
  std::error_code ignored;
  std::filesystem::remove(FileOf(folder, which == '0' ? '1' : '0'), ignored);
  std::filesystem::remove(folder / kDamaged, ignored);
  return covered;
}

namespace {

// Of the file that the record names. Looks on past what is wrong with its frame. An error is what
// nothing can be read behind.
absl::Status InspectFile(const StoreReader& store, const IndexName& name,
                         const VectorConfig& config, const std::string& record,
                         InspectedCheckpoint& inspected) {
  const auto note = [&inspected](const absl::Status& fault) {
    if (fault.ok()) return;
    inspected.report.AddFinding(faults::kFile, [&] { return std::string(fault.message()); });
  };
  VETTORE_ASSIGN_OR_RETURN(const Position applied, store.AppliedPosition(name.key));
  VETTORE_ASSIGN_OR_RETURN(ChecksummedReader in, ChecksummedReader::Open(inspected.file, kTitle));
  note(CheckNamed(in, record));
  VETTORE_ASSIGN_OR_RETURN(inspected.covered, ReadCovered(in));
  note(CheckCovered(inspected.covered, applied));
  auto changed = SlotsChangedSince(store, name.key, inspected.covered, applied);
  note(changed.status());
  if (!changed.ok()) changed = SlotBitmap();
  VETTORE_ASSIGN_OR_RETURN(IndexReport report,
                           InspectCheckpoint(config, inspected.file.parent_path(), *changed, in));
  report.AddAll(inspected.report);
  inspected.report = std::move(report);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<InspectedCheckpoint>> InspectIndexCheckpoint(
    const StoreReader& store, const IndexName& name, const VectorConfig& config) {
  VETTORE_ASSIGN_OR_RETURN(const auto record, store.GetMeta(MetaKey(name)));
  if (!record.has_value() || record->empty()) return std::nullopt;
  InspectedCheckpoint inspected;
  inspected.file = FileOf(store.IndexFolderPath(name.key, name.ordinal), record->front());
  const absl::Status read = InspectFile(store, name, config, *record, inspected);
  if (absl::IsResourceExhausted(read)) return read;
  if (!read.ok()) {
    inspected.report.AddFinding(faults::kUnreadable, [&] { return std::string(read.message()); });
  }
  return inspected;
}

absl::Status ForgetIndexCheckpoints(Store& store, ShardKey key) {
  VETTORE_ASSIGN_OR_RETURN(const auto records, store.ListMeta(MetaPrefix(key)));
  std::vector<Store::MetaChange> changes;
  changes.reserve(records.size());
  for (const auto& [name, value] : records) {
    changes.push_back({.key = name, .expected = value, .value = {}});
  }
  return changes.empty() ? absl::OkStatus() : store.ChangeMeta(changes);
}

}  // namespace vettore
