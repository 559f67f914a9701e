#include "base/thread_pool.h"

#include <pthread.h>

#include <utility>

#include "base/status.h"

namespace vettore {

ThreadPool::ThreadPool(const Options& options) : options_(options) {
  VETTORE_CHECK(options.threads >= 1);
  threads_.reserve(options.threads);
  for (int i = 0; i < options.threads; ++i) threads_.emplace_back([this] { Run(); });
}

ThreadPool::~ThreadPool() {
  {
    absl::MutexLock lock(&mutex_);
    stops_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

absl::Status ThreadPool::Schedule(std::function<void()> task) {
  absl::MutexLock lock(&mutex_);
  if (tasks_.size() >= options_.max_queued) {
    return absl::ResourceExhaustedError(
        StrCat(options_.name, ": ", tasks_.size(), " requests wait already; retry later"));
  }
  tasks_.push_back(std::move(task));
  return absl::OkStatus();
}

size_t ThreadPool::queued() const {
  absl::MutexLock lock(&mutex_);
  return tasks_.size();
}

void ThreadPool::Run() {
  pthread_setname_np(pthread_self(), options_.name.substr(0, 15).c_str());
  while (true) {
    std::function<void()> task;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &ThreadPool::HasWorkOrStops));
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace vettore
