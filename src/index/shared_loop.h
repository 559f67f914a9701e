// A loop that several background threads of an index run together.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "index/traced_mutex.h"

namespace vettore {

// One thread owns the loop and runs it; those that look for work help. Without helpers the owner
// does all. One loop at a time: Run() is externally synchronised, the rest is thread-safe.
class SharedLoop {
 public:
  struct Options {
    std::function<void()> call_helpers = {};                  // May be empty.
    std::function<bool()> stopping = {};                      // May be empty; polled between steps.
    std::string_view action = "renew the lists of an index";  // For errors; outlives the loop.
  };
  // Does the steps of [begin, end); called from several threads at once.
  using Body = absl::FunctionRef<void(size_t begin, size_t end)>;

  SharedLoop() : SharedLoop(Options()) {}
  explicit SharedLoop(Options options) : options_(std::move(options)) {}

  struct Range {
    size_t count;
    size_t grain;  // Steps at a time; >= 1.
  };
  // Returns when all steps of [0, count) are done. Cancelled when it was stopped before,
  // ResourceExhausted when a step threw for want of memory; no step runs any more in either case.
  absl::Status Run(Range range, Body body) ABSL_LOCKS_EXCLUDED(mutex_);

  // Does a part of the loop in progress; false when there is none to do.
  bool Help() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  bool IsStopping() const { return options_.stopping && options_.stopping(); }

  const Options options_;

  TracedMutex mutex_;
  TracedCondition part_done_;
  const Body* body_ ABSL_GUARDED_BY(mutex_) = nullptr;  // Null when there is no loop.
  Range range_ ABSL_GUARDED_BY(mutex_) = {0, 1};
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;  // Parts in progress.
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace vettore
