#include "server/dispatcher.h"

#include <utility>

#include "base/log.h"
#include "base/strings.h"

namespace vettore {
namespace {

// A call is cheap; what it holds is bounded by queue_bytes. This bounds the calls that hold nothing
// yet: idle streams.
constexpr size_t kCalls = 100'000;

}  // namespace

Dispatcher::Dispatcher(const Options& options)
    : options_(options),
      reads_(
          {.name = "read", .threads = options.read_threads, .max_queued = options.queue_requests}),
      writes_({.name = "write",
               .threads = options.write_threads,
               .max_queued = options.queue_requests}) {}

absl::Status Dispatcher::Enter() {
  absl::MutexLock lock(&mutex_);
  if (stops_) return absl::UnavailableError("the server is stopping; retry when it is back");
  if (calls_ >= kCalls) {
    return absl::ResourceExhaustedError(
        StrCat("the server has ", calls_, " calls open already; retry later"));
  }
  ++calls_;
  return absl::OkStatus();
}

void Dispatcher::Leave() {
  absl::MutexLock lock(&mutex_);
  --calls_;
}

absl::Status Dispatcher::ReserveBytes(uint64_t bytes) {
  absl::MutexLock lock(&mutex_);
  if (bytes_ + bytes > options_.queue_bytes) {
    return absl::ResourceExhaustedError(
        StrCat("requests of ", bytes_, " bytes wait or run already, this one has ", bytes,
               ", at most ", options_.queue_bytes, " (queue_bytes) together; retry later"));
  }
  bytes_ += bytes;
  return absl::OkStatus();
}

void Dispatcher::ReleaseBytes(uint64_t bytes) {
  absl::MutexLock lock(&mutex_);
  bytes_ -= bytes;
}

absl::Status Dispatcher::Schedule(Lane lane, std::function<void()> task) {
  switch (lane) {
    case Lane::kRead:
      return reads_.Schedule(std::move(task));
    case Lane::kWrite:
      return writes_.Schedule(std::move(task));
  }
  return absl::InternalError("no such lane");
}

Helpers Dispatcher::ReadHelpers() {
  return {.most = reads_.threads() - 1, .schedule = [this](std::function<void()> task) {
            return reads_.Schedule(std::move(task));
          }};
}

void Dispatcher::LogCall(std::string_view method, const absl::Status& status,
                         absl::Duration took) const {
  LogLevel level = LogLevel::kDebug;
  std::string_view event = "request";
  if (status.code() == absl::StatusCode::kInternal ||
      status.code() == absl::StatusCode::kDataLoss) {
    level = LogLevel::kError;
    event = "request failed";
  } else if (options_.slow != absl::ZeroDuration() && took > options_.slow) {
    level = LogLevel::kWarning;
    event = "slow request";
  }
  const int64_t ms = absl::ToInt64Milliseconds(took);
  const std::string code = absl::StatusCodeToString(status.code());
  if (status.ok()) {
    Log(level, event, {{"method", method}, {"code", code}, {"ms", ms}});
  } else {
    Log(level, event,
        {{"method", method}, {"code", code}, {"ms", ms}, {"message", StdView(status.message())}});
  }
}

void Dispatcher::StopEntering() {
  absl::MutexLock lock(&mutex_);
  stops_ = true;
}

bool Dispatcher::WaitUntilEmpty(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(this, &Dispatcher::IsEmpty), timeout);
}

}  // namespace vettore
