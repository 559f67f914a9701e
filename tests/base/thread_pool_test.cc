#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "absl/synchronization/barrier.h"
#include "absl/synchronization/notification.h"

namespace vettore {
namespace {

TEST(ThreadPool, RunsEveryTaskBeforeItIsGone) {
  std::atomic<int> runs = 0;
  {
    ThreadPool pool({.name = "test", .threads = 4, .max_queued = 10'000});
    for (int i = 0; i < 5'000; ++i) ASSERT_TRUE(pool.Schedule([&runs] { ++runs; }).ok());
  }
  EXPECT_EQ(runs, 5'000);
}

TEST(ThreadPool, ItsThreadsWorkAtTheSameTime) {
  ThreadPool pool({.name = "test", .threads = 3});
  auto* barrier = new absl::Barrier(4);  // Deleted by the last one through.
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(pool.Schedule([barrier] {
                      if (barrier->Block()) delete barrier;
                    })
                    .ok());
  }
  if (barrier->Block()) delete barrier;  // Would wait for ever on one thread.
}

TEST(ThreadPool, FullQueueRefusesAndDoesNotRunTheTask) {
  std::atomic<int> runs = 0;
  absl::Notification started, release;
  {
    ThreadPool pool({.name = "test", .threads = 1, .max_queued = 2});
    ASSERT_TRUE(pool.Schedule([&] {
                      started.Notify();
                      release.WaitForNotification();
                    })
                    .ok());
    started.WaitForNotification();
    EXPECT_TRUE(pool.Schedule([&runs] { ++runs; }).ok());
    EXPECT_TRUE(pool.Schedule([&runs] { ++runs; }).ok());
    EXPECT_EQ(pool.queued(), 2u);
    EXPECT_EQ(pool.Schedule([&runs] { runs += 100; }).code(), absl::StatusCode::kResourceExhausted);
    release.Notify();
  }
  EXPECT_EQ(runs, 2);
}

TEST(ThreadPool, ATaskMayScheduleAnotherWhileThePoolEnds) {
  std::atomic<int> runs = 0;
  {
    ThreadPool pool({.name = "test", .threads = 2});
    ASSERT_TRUE(pool.Schedule([&] {
                      ++runs;
                      ASSERT_TRUE(pool.Schedule([&] { ++runs; }).ok());
                    })
                    .ok());
  }
  EXPECT_EQ(runs, 2);
}

TEST(ThreadPool, ThreadsCarryTheNameCutTo15Bytes) {
  std::string name;
  {
    ThreadPool pool({.name = "a-name-that-is-too-long", .threads = 1});
    ASSERT_TRUE(pool.Schedule([&name] {
                      char buffer[32];
                      pthread_getname_np(pthread_self(), buffer, sizeof buffer);
                      name = buffer;
                    })
                    .ok());
  }
  EXPECT_EQ(name, "a-name-that-is-");
}

}  // namespace
}  // namespace vettore
