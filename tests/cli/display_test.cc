// What people see: progress, wrapped text, tables, numbers.
#include "cli/progress.h"
#include "cli/terminal.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vettore {
namespace {

ProgressState Halfway() {
  return {.noun = "documents",
          .items = 12'300,
          .tokens = 1'200'345,
          .done = 500,
          .total = 1'000,
          .elapsed = absl::Seconds(40)};
}

TEST(Progress, LineTellsShareCountRateTimeLeftAndTokens) {
  EXPECT_EQ(FormatProgress(Halfway(), 0),
            " 50%  12,300 documents  307/s  ETA 40.0 s  1,200,345 tokens");
}

TEST(Progress, BarFillsTheWidthAndNeverPassesIt) {
  EXPECT_EQ(FormatProgress(Halfway(), 76).substr(0, 17), "[######-------]  ");
  for (size_t width = 20; width < 150; ++width) {
    EXPECT_LE(FormatProgress(Halfway(), width).size(), width);
  }
}

TEST(Progress, WithoutATotalThereIsNoShare) {
  ProgressState state = Halfway();
  state.total.reset();
  EXPECT_EQ(FormatProgress(state, 0), "12,300 documents  307/s  1,200,345 tokens");
}

TEST(Progress, NothingDoneAndAllDoneHaveNoTimeLeft) {
  ProgressState state = Halfway();
  state.done = 0;
  EXPECT_THAT(FormatProgress(state, 0), testing::Not(testing::HasSubstr("ETA")));
  state.done = 1'000;
  EXPECT_THAT(FormatProgress(state, 0), testing::StartsWith("100%"));
  state.total = 0;
  EXPECT_THAT(FormatProgress(state, 0), testing::StartsWith("12,300"));
}

TEST(Terminal, TextIsWrappedByCharactersAndCutWithDots) {
  EXPECT_EQ(Wrap("one two  three\nfour", 2, 12, 10), "  one two\n  three four\n");
  EXPECT_EQ(Wrap("one two three four", 0, 10, 1), "one two ...\n");
  EXPECT_EQ(Wrap("àèì òùà", 0, 10, 5), "àèì òùà\n");
  EXPECT_EQ(Wrap(" \n ", 4, 40, 5), "");
}

TEST(Terminal, StoredTextCannotSteerTheTerminal) {
  EXPECT_EQ(Printable("a\x1B[31mred\x07 \xC2\x9B"
                      "b\nc",
                      Lines::kJoin),
            "a [31mred   b c");
  EXPECT_EQ(Printable("a\nb", Lines::kKeep), "a\nb");
  EXPECT_EQ(Printable("caffè ©", Lines::kJoin), "caffè ©");
}

TEST(Terminal, TablesAlignColumns) {
  EXPECT_EQ(FormatTable({{"NAME", "N"}, {"è", "1,000"}}, {Align::kLeft, Align::kRight}),
            "NAME      N\nè     1,000\n");
}

TEST(Terminal, NumbersAreReadable) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1'234'567), "1,234,567");
  EXPECT_EQ(FormatBytes(1'023), "1023 B");
  EXPECT_EQ(FormatBytes(1'536), "1.5 KB");
  EXPECT_EQ(FormatBytes(uint64_t{300} << 20), "300 MB");
  EXPECT_EQ(FormatSpan(absl::Milliseconds(850)), "850 ms");
  EXPECT_EQ(FormatSpan(absl::Seconds(12.5)), "12.5 s");
  EXPECT_EQ(FormatSpan(absl::Seconds(200)), "3 min 20 s");
  EXPECT_EQ(FormatSpan(absl::Seconds(7'500)), "2 h 05 min");
}

}  // namespace
}  // namespace vettore
