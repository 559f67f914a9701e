#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace vettore {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// What `log` writes to standard error, which is put back to the default format afterwards.
template <typename Function>
std::string Captured(Function log) {
  testing::internal::CaptureStderr();
  log();
  std::string text = testing::internal::GetCapturedStderr();
  ConfigureLog(LogLevel::kInfo, LogFormat::kLogfmt);
  return text;
}

TEST(Log, LogfmtLineHasTimeLevelEventAndFields) {
  const std::string line = Captured([] {
    Log(LogLevel::kInfo, "collection created",
        {{"name", "books"}, {"points", 17}, {"view", std::string_view("v")}});
  });
  EXPECT_THAT(line, MatchesRegex("time=[0-9]+-[0-9]+-[0-9]+T[0-9:]+\\.[0-9][0-9][0-9]Z level=info "
                                 "event=\"collection created\" name=books points=17 view=v\n"));
}

TEST(Log, JsonLineEscapesNamesAndValues) {
  const std::string line = Captured([] {
    ConfigureLog(LogLevel::kInfo, LogFormat::kJson);
    Log(LogLevel::kWarning, "odd value", {{"text", "a\"b\\c\nd\x01"}});
  });
  EXPECT_THAT(line, HasSubstr("\"level\":\"warning\",\"event\":\"odd value\""));
  EXPECT_THAT(line, EndsWith("\"text\":\"a\\\"b\\\\c\\nd\\u0001\"}\n"));
}

TEST(Log, AValueForgesNoSecondLine) {
  const std::string line = Captured([] {
    Log(LogLevel::kInfo, "request", {{"id", "x\ntime=now level=error event=forged"}});
  });
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_THAT(line, HasSubstr("id=\"x\\ntime=now level=error event=forged\""));
}

TEST(Log, AValueSendsNoTerminalEscapeAndNoBrokenUtf8) {
  const std::string line = Captured([] {
    Log(LogLevel::kInfo, "request", {{"id", "\x1b[2J"}, {"name", "a\xFFz"}});
  });
  EXPECT_THAT(line, HasSubstr("id=\"\\u001b[2J\" name=\"a\xEF\xBF\xBDz\""));
}

TEST(Log, EmptyValueIsQuoted) {
  EXPECT_THAT(Captured([] {
                Log(LogLevel::kInfo, "e", {{"name", ""}});
              }),
              EndsWith(" name=\"\"\n"));
}

TEST(Log, BelowTheLevelIsSilent) {
  EXPECT_EQ(Captured([] { Log(LogLevel::kDebug, "detail"); }), "");
  EXPECT_EQ(Captured([] {
              ConfigureLog(LogLevel::kError, LogFormat::kLogfmt);
              Log(LogLevel::kWarning, "warning");
            }),
            "");
}

}  // namespace
}  // namespace vettore
