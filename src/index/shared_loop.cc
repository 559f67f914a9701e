// Handing out the parts of a shared loop.
#include "index/shared_loop.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/exceptions.h"
#include "base/status.h"

namespace vettore {
namespace {

constexpr std::chrono::milliseconds kWait(20);

}  // namespace

absl::Status SharedLoop::Run(Range range, Body body) {
  {
    TracedLock lock(mutex_);
    VETTORE_CHECK(body_ == nullptr && range.grain >= 1);
    body_ = &body;
    range_ = range;
    next_ = 0;
    failure_ = absl::OkStatus();
  }
  if (range.count > range.grain && options_.call_helpers) options_.call_helpers();
  while (!IsStopping() && Help()) {
  }
  TracedLock lock(mutex_);
  const bool is_complete = next_ >= range.count;
  next_ = range.count;  // Nothing more is handed out.
  while (running_ > 0) part_done_.WaitFor(mutex_, kWait);
  body_ = nullptr;
  if (!failure_.ok()) return failure_;
  return is_complete ? absl::OkStatus() : absl::CancelledError("the index is being closed");
}

bool SharedLoop::Help() {
  const Body* body = nullptr;
  size_t begin = 0;
  size_t end = 0;
  {
    TracedLock lock(mutex_);
    if (body_ == nullptr || next_ >= range_.count) return false;
    body = body_;
    begin = next_;
    end = std::min(range_.count, begin + range_.grain);
    next_ = end;
    ++running_;
  }
  absl::Status status = CatchExceptions(options_.action, [&]() -> absl::Status {
    (*body)(begin, end);
    return absl::OkStatus();
  });
  TracedLock lock(mutex_);
  if (!status.ok()) {
    failure_ = std::move(status);
    next_ = range_.count;
  }
  if (--running_ == 0) part_done_.NotifyAll();
  return true;
}

}  // namespace vettore
