// The models directory: one folder a model, loaded by name and never by path.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "embed/embedder.h"
#include "types/name.h"

namespace vettore {

// Thread-safe. A model is read when it is first asked for, and kept; while one is read, others are
// served.
class ModelDirectory {
 public:
  explicit ModelDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  // NotFound names the directory and the models that are there; a folder that holds no sound model
  // gives the error of Embedder::Load, and is read anew when it is asked for again.
  absl::StatusOr<std::shared_ptr<const Embedder>> Get(const Name& name) ABSL_LOCKS_EXCLUDED(mutex_);
  // Names of the folders that hold a config.json or a modules.json, sorted.
  std::vector<std::string> List() const;
  // What the loaded models have computed, together.
  EmbedCounters counters() ABSL_LOCKS_EXCLUDED(mutex_);
  const std::filesystem::path& path() const { return path_; }

 private:
  // Its lock is held while the model is read, so that two callers do not read it twice.
  struct Entry {
    absl::Mutex mutex;
    std::shared_ptr<const Embedder> embedder ABSL_GUARDED_BY(mutex);
  };

  absl::Status NotFound(const Name& name) const;
  absl::StatusOr<std::shared_ptr<const Embedder>> Load(const Name& name) const;

  const std::filesystem::path path_;
  absl::Mutex mutex_;
  absl::flat_hash_map<Name, std::shared_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace vettore
