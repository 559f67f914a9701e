// Starting, waking and ending background threads.
#include "index/background_workers.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "base/log.h"

namespace vettore {
namespace {

// A third of the share of a query thread when both want the same core. Not less: who starves the
// linking makes every search scan a longer tail, which makes the searches slower still.
constexpr int kNice = 5;
// A second thread pays once this many rows wait.
constexpr size_t kBacklogForAll = 64;
constexpr std::chrono::milliseconds kLinger(1000);

// Threads of all indexes of the process beyond the first of each.
std::atomic<int> extra_threads = 0;

bool TakeExtraThread() {
  const int most = std::max(1, static_cast<int>(std::thread::hardware_concurrency())) - 1;
  int taken = extra_threads.load();
  while (taken < most) {
    if (extra_threads.compare_exchange_weak(taken, taken + 1)) return true;
  }
  return false;
}

}  // namespace

int BackgroundThreads(std::optional<int> wanted, int most) {
  return wanted.value_or(
      std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, most));
}

BackgroundWorkers::~BackgroundWorkers() {
  std::list<Worker> workers;
  {
    TracedLock lock(mutex_);
    stopping_ = true;
    workers.swap(workers_);  // The threads' own pointers into the list stay valid.
    woken_.NotifyAll();
  }
  for (Worker& worker : workers) worker.thread.join();
}

void BackgroundWorkers::Wake(int wanted) {
  TracedLock lock(mutex_);
  if (stopping_) return;
  ++wakes_;
  woken_.NotifyOne();
  if (running_ < std::min(wanted, options_.threads)) Start();
}

void BackgroundWorkers::WakeForBacklog(size_t rows) {
  if (rows == 0) return;
  Wake(rows >= kBacklogForAll ? options_.threads : 1);
}

void BackgroundWorkers::Start() {
  JoinEnded();
  const bool is_extra = running_ > 0;
  if (is_extra && !TakeExtraThread()) return;
  workers_.emplace_back();
  Worker* const worker = &workers_.back();
  try {
    worker->thread = std::thread([this, worker, is_extra] { Run(worker, is_extra); });
    ++running_;
  } catch (const std::system_error& error) {
    workers_.pop_back();
    if (is_extra) --extra_threads;
    Log(LogLevel::kWarning, "index thread not started; vectors are scanned until one is",
        {{"name", options_.name}, {"error", error.what()}});
  }
}

void BackgroundWorkers::Run(Worker* self, bool is_extra) {
  pthread_setname_np(pthread_self(), options_.name.c_str());
  // On Linux a priority is a thread's own. It can always be lowered.
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice);
  uint64_t seen = 0;
  for (bool goes_on = true; goes_on;) {
    {
      TracedLock lock(mutex_);
      seen = wakes_;
    }
    while (!stopping() && options_.work()) {
    }
    TracedLock lock(mutex_);
    goes_on = AwaitWork(seen);
    if (!goes_on) {
      --running_;
      self->has_ended = true;
    }
  }
  if (is_extra) --extra_threads;
}

bool BackgroundWorkers::AwaitWork(uint64_t seen) {
  const auto end = std::chrono::steady_clock::now() + kLinger;
  while (!stopping_ && wakes_ == seen) {
    if (std::chrono::steady_clock::now() >= end) return false;
    woken_.WaitFor(mutex_, kLinger);
  }
  return !stopping_;
}

void BackgroundWorkers::JoinEnded() {
  for (auto worker = workers_.begin(); worker != workers_.end();) {
    if (worker->has_ended) {
      worker->thread.join();  // It holds no lock any more, and ends at once.
      worker = workers_.erase(worker);
    } else {
      ++worker;
    }
  }
}

}  // namespace vettore
