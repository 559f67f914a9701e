#include "types/name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vettore {
namespace {

using ::testing::StartsWith;

TEST(Name, TakesLettersDigitsUnderscoreDotAndDash) {
  for (const std::string& text : {std::string("a"), std::string("_x"), std::string("9"),
                                  std::string("a.b-c_D"), std::string(64, 'n')}) {
    EXPECT_EQ(Name::Parse(text, "collection").value().str(), text);
  }
}

TEST(Name, RefusesWhatIsUnsafeInPathsAndLogs) {
  for (const std::string& text :
       {std::string(), std::string(65, 'n'), std::string(".."), std::string(".hidden"),
        std::string("-x"), std::string("a/b"), std::string("a b"), std::string("a\nb"),
        std::string("a\0b", 3), std::string("\xC3\xA9")}) {
    const absl::Status status = Name::Parse(text, "collection").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), StartsWith("collection: "));
    for (const char c : std::string(status.message())) EXPECT_GE(c, ' ');
  }
}

TEST(Name, ComparesByBytes) {
  EXPECT_LT(Name::Parse("A", "n").value(), Name::Parse("a", "n").value());
  EXPECT_EQ(Name::Parse("a", "n").value(), Name::Parse("a", "m").value());
}

}  // namespace
}  // namespace vettore
