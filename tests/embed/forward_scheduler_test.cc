#include "embed/forward_scheduler.h"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"

namespace vettore {
namespace {

TEST(ForwardScheduler, EveryChunkRunsOnceAndAllAreDoneAtTheReturn) {
  ForwardScheduler scheduler(3);
  for (size_t chunks : {size_t{0}, size_t{1}, size_t{2}, size_t{3}, size_t{50}}) {
    std::vector<std::atomic<int>> runs(chunks);
    EXPECT_TRUE(scheduler
                    .RunChunks(
                        chunks, [&](size_t i) { ++runs[i]; }, CancelToken())
                    .ok());
    for (const std::atomic<int>& count : runs) EXPECT_EQ(count, 1);
  }
}

TEST(ForwardScheduler, MemoryThatRunsOutEndsTheCallAndNoMore) {
  ForwardScheduler scheduler(1);
  const auto allocate_too_much = [] { throw std::bad_alloc(); };
  EXPECT_EQ(scheduler
                .RunChunks(
                    5, [&](size_t) { allocate_too_much(); }, CancelToken())
                .code(),
            absl::StatusCode::kResourceExhausted);
  // As often as would use up the lanes if one were lost each time.
  for (int i = 0; i < 8; ++i) {
    EXPECT_THROW(scheduler.RunNow(allocate_too_much, CancelToken()).IgnoreError(), std::bad_alloc);
  }
  EXPECT_TRUE(scheduler.RunNow([] {}, CancelToken()).ok());
  EXPECT_TRUE(scheduler
                  .RunChunks(
                      5, [](size_t) {}, CancelToken())
                  .ok());
}

TEST(ForwardScheduler, ASmallCallDoesNotWaitBehindBulkCalls) {
  ForwardScheduler scheduler(1);
  absl::Notification has_begun, may_end;
  std::thread bulk([&] {
    const auto run = [&](size_t i) {
      if (i == 0) {
        has_begun.Notify();
        may_end.WaitForNotification();
      }
    };
    EXPECT_TRUE(scheduler.RunChunks(10, run, CancelToken()).ok());
  });
  has_begun.WaitForNotification();
  bool has_run = false;
  std::thread::id thread;
  EXPECT_TRUE(
      scheduler.RunNow([&] { has_run = true, thread = std::this_thread::get_id(); }, CancelToken())
          .ok());
  EXPECT_TRUE(has_run);
  EXPECT_EQ(thread, std::this_thread::get_id());
  may_end.Notify();
  bulk.join();
}

TEST(ForwardScheduler, BulkCallsTakeTurns) {
  ForwardScheduler scheduler(1);
  absl::Notification has_begun, may_go_on;
  std::atomic<int> first_done = 0;
  int first_done_at_second = -1;
  std::thread first([&] {
    const auto run = [&](size_t i) {
      if (i == 0) {
        has_begun.Notify();
        may_go_on.WaitForNotification();
      }
      ++first_done;
    };
    EXPECT_TRUE(scheduler.RunChunks(100, run, CancelToken()).ok());
  });
  has_begun.WaitForNotification();
  std::atomic<bool> is_queued = false;
  std::thread second([&] {
    // The first poll comes before the chunk is queued, the second one after.
    int polls = 0;
    const CancelToken cancel(absl::InfiniteFuture(), [&, polls]() mutable {
      if (++polls == 2) is_queued = true;
      return false;
    });
    const auto run = [&](size_t) { first_done_at_second = first_done; };
    EXPECT_TRUE(scheduler.RunChunks(1, run, cancel).ok());
  });
  while (!is_queued) std::this_thread::yield();
  may_go_on.Notify();
  first.join();
  second.join();
  EXPECT_LE(first_done_at_second, 1);
}

TEST(ForwardScheduler, CancelKeepsFurtherChunksFromBeginning) {
  ForwardScheduler scheduler(2);
  std::atomic<int> runs = 0;
  const CancelToken cancel(absl::InfiniteFuture(), [&] { return runs > 0; });
  const auto slow = [&](size_t) {
    ++runs;
    absl::SleepFor(absl::Milliseconds(20));
  };
  EXPECT_EQ(scheduler.RunChunks(1000, slow, cancel).code(), absl::StatusCode::kCancelled);
  const int at_return = runs;
  EXPECT_LT(at_return, 100);
  absl::SleepFor(absl::Milliseconds(60));
  EXPECT_EQ(runs, at_return);
}

TEST(ForwardScheduler, ASmallCallThatWaitsForATurnHonoursItsDeadline) {
  ForwardScheduler scheduler(1);
  absl::Notification may_end;
  std::atomic<int> begun = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      const auto run = [&] {
        ++begun;
        may_end.WaitForNotification();
      };
      EXPECT_TRUE(scheduler.RunNow(run, CancelToken()).ok());
    });
  }
  while (begun < 2) std::this_thread::yield();
  const CancelToken soon(absl::Now() + absl::Milliseconds(30), nullptr);
  EXPECT_EQ(scheduler.RunNow([] {}, soon).code(), absl::StatusCode::kDeadlineExceeded);
  may_end.Notify();
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(scheduler.RunNow([] {}, CancelToken()).ok());
}

}  // namespace
}  // namespace vettore
