#include "base/cancel.h"

#include <gtest/gtest.h>

namespace vettore {
namespace {

TEST(CancelToken, TheDefaultNeverFires) {
  EXPECT_TRUE(CancelToken().Poll().ok());
  EXPECT_EQ(CancelToken().deadline(), absl::InfiniteFuture());
}

TEST(CancelToken, FiresOnceTheDeadlineHasPassed) {
  EXPECT_TRUE(CancelToken(absl::Now() + absl::Hours(1), nullptr).Poll().ok());
  EXPECT_EQ(CancelToken(absl::Now() - absl::Milliseconds(1), nullptr).Poll().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(CancelToken, FiresWhenTheCallerIsGoneAndSoDoItsCopies) {
  bool gone = false;
  const CancelToken token(absl::InfiniteFuture(), [&gone] { return gone; });
  const CancelToken copy = token;
  EXPECT_TRUE(token.Poll().ok());
  gone = true;
  EXPECT_EQ(token.Poll().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(copy.Poll().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace vettore
