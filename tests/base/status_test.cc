#include "base/status.h"

#include <gtest/gtest.h>

#include <string>

namespace vettore {
namespace {

absl::Status Fail() { return absl::NotFoundError("no such thing"); }

absl::StatusOr<int> Twice(absl::StatusOr<int> input) {
  VETTORE_ASSIGN_OR_RETURN(const int value, std::move(input));
  return value * 2;
}

absl::Status ReturnFirst(bool fails) {
  if (fails) {
    VETTORE_RETURN_IF_ERROR(Fail());
  }
  VETTORE_RETURN_IF_ERROR(absl::OkStatus());
  return absl::InternalError("reached the end");
}

TEST(Status, MacrosReturnTheErrorAndLetOkPass) {
  EXPECT_EQ(ReturnFirst(true).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReturnFirst(false).code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Twice(21).value(), 42);
  EXPECT_EQ(Twice(Fail()).status(), Fail());
}

TEST(Status, AnnotateOpensTheMessageAndKeepsTheCode) {
  const absl::Status status = Annotate(Fail(), "collection 'x'");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(std::string(status.message()), "collection 'x': no such thing");
  EXPECT_TRUE(Annotate(absl::OkStatus(), "anywhere").ok());
}

TEST(StatusDeathTest, AFailedCheckAbortsWithItsText) {
  EXPECT_DEATH(VETTORE_CHECK(1 + 1 == 3), "status_test.cc:[0-9]+: check failed: 1 \\+ 1 == 3");
}

TEST(Strings, StrCatJoinsStandardViewsAndNumbers) {
  const std::string_view view = "view";
  std::string text = StrCat("a ", view, " ", std::string("b"), " ", 7, " ", 1.5);
  EXPECT_EQ(text, "a view b 7 1.5");
  StrAppend(&text, view, 1, 2, 3, 4, view);
  EXPECT_EQ(text, "a view b 7 1.5view1234view");
  EXPECT_EQ(StdView(AbslView(view)).data(), view.data());
}

}  // namespace
}  // namespace vettore
