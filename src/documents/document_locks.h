// Locks by document id: whoever replaces a document must be alone with it from reading its old
// chunks to writing.
#pragma once

#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/hash/hash.h"
#include "absl/synchronization/mutex.h"
#include "base/strings.h"

namespace vettore {

// A fixed number of locks that documents share by hash. They are taken in one order, so that
// holders of many cannot deadlock. Thread-safe.
class DocumentLocks {
  static constexpr size_t kStripes = 256;

 public:
  // Which documents: of the collection object, as aliases share it.
  struct Key {
    const void* collection = nullptr;
    std::string_view id;
  };

  // Alone with the documents while it lives.
  class Exclusive {
   public:
    Exclusive(DocumentLocks& locks, const std::vector<Key>& keys) ABSL_NO_THREAD_SAFETY_ANALYSIS
        : locks_(locks) {
      for (const Key& key : keys) stripes_.insert(StripeOf(key));
      for (const size_t stripe : stripes_) locks_.stripes_[stripe].Lock();
    }
    ~Exclusive() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      for (const size_t stripe : stripes_) locks_.stripes_[stripe].Unlock();
    }
    Exclusive(const Exclusive&) = delete;
    Exclusive& operator=(const Exclusive&) = delete;

   private:
    DocumentLocks& locks_;
    std::set<size_t> stripes_;
  };

  // Shares the document with other readers while it lives.
  class Shared {
   public:
    Shared(DocumentLocks& locks, const Key& key) : lock_(&locks.stripes_[StripeOf(key)]) {}

   private:
    absl::ReaderMutexLock lock_;
  };

 private:
  static size_t StripeOf(const Key& key) {
    return absl::HashOf(key.collection, AbslView(key.id)) % kStripes;
  }

  std::array<absl::Mutex, kStripes> stripes_;
};

}  // namespace vettore
