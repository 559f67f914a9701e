// The cancel token that long loops poll: a deadline and whether the caller is gone.
#pragma once

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace vettore {

// Polled at coarse steps (thousands of distances, a batch of texts): one poll costs a clock read.
// Immutable.
class CancelToken {
 public:
  // Never fires.
  CancelToken() = default;
  // `is_gone` may be empty; it must be callable from any thread for as long as the token or a copy
  // lives.
  CancelToken(absl::Time deadline, std::function<bool()> is_gone)
      : deadline_(deadline), is_gone_(std::move(is_gone)) {}

  absl::Time deadline() const { return deadline_; }

  // OK, DeadlineExceeded or Cancelled.
  absl::Status Poll() const {
    if (is_gone_ && is_gone_()) return absl::CancelledError("the caller cancelled the request");
    if (deadline_ != absl::InfiniteFuture() && absl::Now() >= deadline_) {
      return absl::DeadlineExceededError("the request's deadline has passed; its work was stopped");
    }
    return absl::OkStatus();
  }

 private:
  absl::Time deadline_ = absl::InfiniteFuture();
  std::function<bool()> is_gone_;
};

}  // namespace vettore
