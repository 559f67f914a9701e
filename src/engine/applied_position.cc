#include "engine/applied_position.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

// How often a wait looks whether the caller is gone, which nobody signals.
constexpr absl::Duration kPollInterval = absl::Milliseconds(50);

std::string Text(Position position) {
  return StrCat("{epoch ", position.epoch, ", seq ", position.seq, "}");
}

}  // namespace

Position AppliedPosition::Get() const {
  absl::MutexLock lock(&mutex_);
  return position_;
}

void AppliedPosition::Advance(Position position) {
  absl::MutexLock lock(&mutex_);
  position_ = position;
}

void AppliedPosition::Close(absl::Status reason) {
  absl::MutexLock lock(&mutex_);
  closed_ = std::move(reason);
}

absl::Status AppliedPosition::WaitFor(Position wanted, const CancelToken& cancel) const {
  if (wanted == Position{}) return absl::OkStatus();
  const absl::Time give_up = absl::Now() + longest_wait_;
  absl::MutexLock lock(&mutex_);
  const auto is_there = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return !closed_.ok() || position_ >= wanted;
  };
  if (wanted.epoch != position_.epoch) {
    return absl::FailedPreconditionError(
        StrCat("min_position ", Text(wanted), " is of another epoch than this collection's ",
               Text(position_), "; it was recreated or restored since: read without it"));
  }
  while (!is_there()) {
    VETTORE_RETURN_IF_ERROR(cancel.Poll());
    if (absl::Now() >= give_up) {
      return absl::UnavailableError(StrCat("min_position ", Text(wanted),
                                           " is not applied yet, this collection stands at ",
                                           Text(position_), "; retry later"));
    }
    mutex_.AwaitWithDeadline(absl::Condition(&is_there),
                             std::min({absl::Now() + kPollInterval, cancel.deadline(), give_up}));
  }
  return closed_;
}

}  // namespace vettore
