#include "engine/verification.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/exceptions.h"
#include "base/status.h"
#include "engine/catalog.h"
#include "engine/index_checkpoint.h"
#include "engine/name_suggestion.h"
#include "storage/store_reader.h"

namespace vettore {
namespace {

constexpr uint16_t kOnlyShard = 0;

absl::Status CheckNamed(const CatalogContents& contents, const std::vector<std::string>& wanted) {
  std::vector<std::string> known;
  for (const auto& [name, entry] : contents.collections) known.push_back(name);
  for (const std::string& name : wanted) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return UnknownName("collection", name, known);
  }
  return absl::OkStatus();
}

absl::Status VerifyCollection(const StoreReader& store, const std::string& name,
                              const CatalogEntry& entry, Verification& verification) {
  const ShardKey key{.collection = entry.id, .shard = kOnlyShard};
  for (size_t i = 0; i < entry.config.vectors.size(); ++i) {
    const VectorConfig& config = entry.config.vectors[i];
    VerifiedIndex verified{
        .collection = name, .vector = config.name, .shard = key.shard, .kind = config.index};
    VETTORE_ASSIGN_OR_RETURN(
        std::optional<InspectedCheckpoint> inspected,
        InspectIndexCheckpoint(store, {key, static_cast<VectorOrdinal>(i)}, config));
    if (inspected.has_value()) {
      verified.file = std::move(inspected->file);
      verified.covered = inspected->covered;
      verified.report = std::move(inspected->report);
    }
    verification.indexes.push_back(std::move(verified));
  }
  return absl::OkStatus();
}

absl::StatusOr<Verification> Verify(const std::filesystem::path& data_dir,
                                    const std::vector<std::string>& wanted) {
  VETTORE_ASSIGN_OR_RETURN(const std::unique_ptr<StoreReader> store, StoreReader::Open(data_dir));
  VETTORE_ASSIGN_OR_RETURN(const CatalogContents contents, Catalog::ReadFrom(*store));
  VETTORE_RETURN_IF_ERROR(CheckNamed(contents, wanted));
  Verification verification;
  for (const auto& [name, entry] : contents.collections) {
    const bool is_wanted =
        wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
    if (!is_wanted) continue;
    if (!entry.ok()) {
      verification.damaged.emplace_back(name, entry.status());
      continue;
    }
    VETTORE_RETURN_IF_ERROR(VerifyCollection(*store, name, *entry, verification));
  }
  return verification;
}

}  // namespace

bool Verification::is_sound() const {
  return damaged.empty() &&
         std::all_of(indexes.begin(), indexes.end(),
                     [](const VerifiedIndex& index) { return index.report.is_sound(); });
}

absl::StatusOr<Verification> VerifyDataDirectory(const std::filesystem::path& data_dir,
                                                 const std::vector<std::string>& collections) {
  return CatchExceptions("verify the data directory",
                         [&] { return Verify(data_dir, collections); });
}

}  // namespace vettore
