#include "embed/model_directory.h"

#include <algorithm>
#include <new>
#include <system_error>

#include "absl/strings/str_join.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

bool IsModel(const std::filesystem::path& dir) {
  std::error_code ignored;
  return std::filesystem::exists(dir / "config.json", ignored) ||
         std::filesystem::exists(dir / "modules.json", ignored);
}

}  // namespace

std::vector<std::string> ModelDirectory::List() const {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(path_, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (IsModel(entry->path()) && Name::Parse(name, "model").ok()) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status ModelDirectory::NotFound(const Name& name) const {
  const std::vector<std::string> names = List();
  return absl::NotFoundError(StrCat("model '", name.str(), "': not in ", path_.string(),
                                    names.empty()
                                        ? ", which holds no model"
                                        : StrCat(", which holds ", absl::StrJoin(names, ", "))));
}

absl::StatusOr<std::shared_ptr<const Embedder>> ModelDirectory::Load(const Name& name) const {
  const std::filesystem::path dir = path_ / name.str();
  // The files decide how much memory is asked for, within their own size.
  try {
    absl::StatusOr<std::unique_ptr<Embedder>> loaded = Embedder::Load(dir);
    if (!loaded.ok()) {
      const absl::Status named = Annotate(loaded.status(), StrCat("model '", name.str(), "'"));
      // Who asks for a model cannot mend its files.
      return absl::IsInvalidArgument(named) ? absl::FailedPreconditionError(named.message())
                                            : named;
    }
    return std::shared_ptr<const Embedder>(*std::move(loaded));
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        StrCat("model '", name.str(), "': too little memory to load it"));
  }
}

absl::StatusOr<std::shared_ptr<const Embedder>> ModelDirectory::Get(const Name& name) {
  std::shared_ptr<Entry> entry;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = entries_.find(name);
    if (found != entries_.end()) entry = found->second;
  }
  if (entry == nullptr) {
    if (!IsModel(path_ / name.str())) return NotFound(name);
    absl::MutexLock lock(&mutex_);
    entry = entries_.try_emplace(name, std::make_shared<Entry>()).first->second;
  }
  absl::MutexLock lock(&entry->mutex);
  if (entry->embedder == nullptr) {
    VETTORE_ASSIGN_OR_RETURN(entry->embedder, Load(name));
  }
  return entry->embedder;
}

EmbedCounters ModelDirectory::counters() {
  absl::MutexLock lock(&mutex_);
  EmbedCounters sum;
  for (const auto& [name, entry] : entries_) {
    // Held: the model is being read, and has computed nothing yet.
    if (!entry->mutex.ReaderTryLock()) continue;
    if (entry->embedder != nullptr) {
      sum.texts += entry->embedder->counters().texts;
      sum.tokens += entry->embedder->counters().tokens;
    }
    entry->mutex.ReaderUnlock();
  }
  return sum;
}

}  // namespace vettore
