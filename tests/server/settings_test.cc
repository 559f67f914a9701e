#include "server/settings.h"

#include <fstream>
#include <map>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/running_server.h"

namespace vettore {
namespace {

using testing::HasSubstr;

std::string Message(const absl::Status& status) { return std::string(StdView(status.message())); }

SettingSources Sources(std::map<std::string, std::string> environment) {
  SettingSources sources;
  sources.environment = [environment](const std::string& variable) -> std::optional<std::string> {
    const auto found = environment.find(variable);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  };
  return sources;
}

TEST(Settings, EveryDefaultIsReadableAndWithinItsOwnRange) {
  for (const Setting& setting : SettingsTable()) {
    ServerOptions options;
    EXPECT_TRUE(setting.Set(options, setting.DefaultText()).ok()) << setting.name;
  }
}

TEST(Settings, FlagsWinOverEnvironmentOverFileOverDefaults) {
  const TemporaryDirectory folder;
  const std::string file = folder.path() / "vettore.conf";
  std::ofstream(file)
      << "data_dir = from-file\nmodels_dir = from-file\nthreads = 3\nlisten = 127.0.0.1:1\n";
  SettingSources sources =
      Sources({{"VETTORE_MODELS_DIR", "from-environment"}, {"VETTORE_LISTEN", "127.0.0.1:2"}});
  sources.file = file;
  sources.flags = {{"listen", "127.0.0.1:3"}};
  const absl::StatusOr<ServerOptions> options = LoadServerOptions(sources);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->threads, 3U);
  EXPECT_EQ(options->data_dir, "from-file");
  EXPECT_EQ(options->models_dir, "from-environment");
  EXPECT_EQ(options->listen, "127.0.0.1:3");
  EXPECT_EQ(options->grace_seconds, ServerOptions().grace_seconds);
}

TEST(Settings, FileComesFromTheEnvironmentWhenNoneIsGiven) {
  const TemporaryDirectory folder;
  const std::string file = folder.path() / "vettore.conf";
  std::ofstream(file) << "threads = 5\n";
  const absl::StatusOr<ServerOptions> options =
      LoadServerOptions(Sources({{"VETTORE_CONFIG", file}}));
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->threads, 5U);
}

TEST(Settings, MissingFileIsRefusedByName) {
  SettingSources sources = Sources({});
  sources.file = "/no/such/vettore.conf";
  EXPECT_THAT(Message(LoadServerOptions(sources).status()), HasSubstr("/no/such/vettore.conf"));
}

TEST(Settings, FileTakesCommentsQuotesAndSuffixes) {
  ServerOptions options;
  const absl::Status status = ApplySettingsText(
      "# the server\n\n  data_dir = \"a \\\"b\\\" # c\"  # comment\nmax_message_bytes = "
      "2MB\r\ninsecure_remote=true\n"
      "log_level = debug # all",
      "conf", options);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(options.data_dir, "a \"b\" # c");
  EXPECT_EQ(options.max_message_bytes, uint64_t{2} << 20);
  EXPECT_TRUE(options.insecure_remote);
  EXPECT_EQ(options.log_level, LogLevel::kDebug);
}

TEST(Settings, EveryBadLineIsRefusedByItsNumber) {
  const std::map<std::string, std::string> bad = {{"threads 3", "name = value"},
                                                  {"theads = 3", "no setting 'theads'"},
                                                  {"threads = many", "an integer, 0 to"},
                                                  {"threads = 5000", "got '5000'"},
                                                  {"threads = -1", "got '-1'"},
                                                  {"threads =", "no value"},
                                                  {"data_dir = \"x", "no closing"},
                                                  {"data_dir = \"x\" y", "comment"},
                                                  {"insecure_remote = 1", "true or false"},
                                                  {"log_level = loud", "debug, info"},
                                                  {"[server]", "name = value"},
                                                  {"queue_bytes = 99999999999GB", "bytes"},
                                                  {"threads = 1.5", "got '1.5'"},
                                                  {"max_message_bytes = 2 GB", "got '2 GB'"}};
  for (const auto& [line, message] : bad) {
    ServerOptions options;
    const absl::Status status = ApplySettingsText("threads = 2\n" + line + "\n", "conf", options);
    // A second value for `threads` never hides what is wrong with it.
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << line;
    EXPECT_THAT(Message(status), testing::AllOf(HasSubstr("conf:2: "), HasSubstr(message))) << line;
  }
}

TEST(Settings, NameThatStandsTwiceIsRefused) {
  ServerOptions options;
  EXPECT_THAT(Message(ApplySettingsText("threads = 1\nthreads = 2", "conf", options)),
              HasSubstr("conf:2: 'threads' is set a second time"));
}

TEST(Settings, BadEnvironmentAndBadFlagAreNamed) {
  EXPECT_THAT(Message(LoadServerOptions(Sources({{"VETTORE_THREADS", "x"}})).status()),
              HasSubstr("environment variable VETTORE_THREADS: "));
  SettingSources sources = Sources({});
  sources.flags = {{"grace_seconds", "soon"}};
  EXPECT_THAT(Message(LoadServerOptions(sources).status()), HasSubstr("--grace-seconds: "));
}

TEST(Settings, QueueThatCannotHoldOneMessageIsRefused) {
  EXPECT_THAT(Message(LoadServerOptions(Sources({{"VETTORE_QUEUE_BYTES", "1MB"}})).status()),
              HasSubstr("queue_bytes"));
}

TEST(Settings, MarkdownHoldsEverySetting) {
  const std::string table = SettingsMarkdown();
  for (const Setting& setting : SettingsTable()) {
    EXPECT_THAT(table, HasSubstr("| `" + std::string(setting.name) + "`<br>"));
    EXPECT_THAT(table, HasSubstr(setting.EnvironmentName()));
    EXPECT_THAT(table, HasSubstr(setting.FlagName()));
  }
}

}  // namespace
}  // namespace vettore
