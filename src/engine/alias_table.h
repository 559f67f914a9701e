// Which alias stands for which collection.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace vettore {

// Thread-safe.
class AliasTable {
 public:
  void Set(std::string_view alias, std::string_view collection) ABSL_LOCKS_EXCLUDED(mutex_);
  void Erase(std::string_view alias) ABSL_LOCKS_EXCLUDED(mutex_);

  std::optional<std::string> CollectionOf(std::string_view alias) const ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<std::string> AliasesOf(std::string_view collection) const ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<std::pair<std::string, std::string>> All() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable absl::Mutex mutex_;
  std::map<std::string, std::string, std::less<>> collections_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace vettore
