#include "embed/forward_scheduler.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <thread>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status.h"

namespace vettore {
namespace {

constexpr absl::Duration kPollEvery = absl::Milliseconds(10);
constexpr int kLanesPerWorker = 2;
constexpr int kWorkerNiceness = 10;

// Lowers the priority of the thread that calls, once. A refusal changes nothing but latency.
void YieldToQueries() {
  static thread_local const int lowered =
      setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kWorkerNiceness);
  static_cast<void>(lowered);
}

}  // namespace

// A call of RunChunks, which outlives its tasks.
struct ForwardScheduler::Job {
  Job(const std::function<void(size_t)>& function, size_t count)
      : run_chunk(function), chunks(count) {}
  bool HasEnded() const ABSL_SHARED_LOCKS_REQUIRED(mutex) { return tasks == 0; }

  const std::function<void(size_t)>& run_chunk;
  const size_t chunks;

  absl::Mutex mutex;
  size_t next ABSL_GUARDED_BY(mutex) = 0;
  size_t tasks ABSL_GUARDED_BY(mutex) = 0;  // Scheduled or running.
  bool is_cancelled ABSL_GUARDED_BY(mutex) = false;
  bool is_out_of_memory ABSL_GUARDED_BY(mutex) = false;
};

ForwardScheduler::ForwardScheduler(int workers)
    : free_lanes_(workers * kLanesPerWorker),
      workers_({.name = "embed", .threads = workers, .max_queued = 1'000'000}) {}

ForwardScheduler& ForwardScheduler::Shared() {
  // Never destroyed: workers may not outlive what they use at exit.
  static auto* scheduler =
      new ForwardScheduler(std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
  return *scheduler;
}

absl::Status ForwardScheduler::RunNow(const std::function<void()>& run, const CancelToken& cancel) {
  while (true) {
    VETTORE_RETURN_IF_ERROR(cancel.Poll());
    absl::MutexLock lock(&mutex_);
    if (mutex_.AwaitWithTimeout(absl::Condition(this, &ForwardScheduler::HasLane), kPollEvery)) {
      --free_lanes_;
      break;
    }
  }
  const absl::Cleanup give_back = [this] {
    absl::MutexLock lock(&mutex_);
    ++free_lanes_;
  };
  run();
  return absl::OkStatus();
}

// Runs the job's next chunk; then queues again, behind the other jobs.
void ForwardScheduler::RunOneChunk(Job& job) {
  YieldToQueries();
  while (true) {
    size_t chunk;
    {
      absl::MutexLock lock(&job.mutex);
      if (job.is_cancelled || job.next == job.chunks) {
        --job.tasks;
        return;
      }
      chunk = job.next++;
    }
    try {
      job.run_chunk(chunk);
    } catch (const std::bad_alloc&) {
      absl::MutexLock lock(&job.mutex);
      job.is_out_of_memory = true;
      job.is_cancelled = true;
    }
    if (workers_.Schedule([this, &job] { RunOneChunk(job); }).ok()) return;
  }
}

absl::Status ForwardScheduler::RunChunks(size_t chunks,
                                         const std::function<void(size_t)>& run_chunk,
                                         const CancelToken& cancel) {
  VETTORE_RETURN_IF_ERROR(cancel.Poll());
  Job job(run_chunk, chunks);
  const size_t wanted = std::min<size_t>(chunks, workers_.threads());
  absl::Status status;
  for (size_t i = 0; i < wanted && status.ok(); ++i) {
    {
      absl::MutexLock lock(&job.mutex);
      ++job.tasks;
    }
    status = workers_.Schedule([this, &job] { RunOneChunk(job); });
    if (!status.ok()) {
      absl::MutexLock lock(&job.mutex);
      --job.tasks;
    }
  }
  while (true) {
    if (status.ok()) status = cancel.Poll();
    absl::MutexLock lock(&job.mutex);
    if (!status.ok()) job.is_cancelled = true;
    if (job.mutex.AwaitWithTimeout(absl::Condition(&job, &Job::HasEnded), kPollEvery)) {
      if (job.is_out_of_memory) {
        return absl::ResourceExhaustedError(
            "too little memory to embed; send fewer texts at a time");
      }
      return job.next == job.chunks ? absl::OkStatus() : status;
    }
  }
}

}  // namespace vettore
