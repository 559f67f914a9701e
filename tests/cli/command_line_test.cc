// What the program says of itself and of command lines that are wrong; no server is needed.
#include <csignal>

#include "cli/program.h"
#include "server/settings.h"

namespace vettore {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class CommandLineTest : public Program {};

TEST_F(CommandLineTest, HelpTeachesEveryCommand) {
  const std::vector<std::vector<std::string>> commands = {{"serve"},
                                                          {"ingest"},
                                                          {"search"},
                                                          {"embed"},
                                                          {"import"},
                                                          {"export"},
                                                          {"status"},
                                                          {"verify"},
                                                          {"bench", "ann"},
                                                          {"bench", "collection"},
                                                          {"collection"},
                                                          {"collection", "create"},
                                                          {"collection", "alias", "set"}};
  const Ran whole = Run({"--help"});
  EXPECT_EQ(whole.exit_code, 0);
  for (std::vector<std::string> command : commands) {
    EXPECT_THAT(whole.out, HasSubstr("\n  " + command.front() + " "));
    command.emplace_back("--help");
    const Ran ran = Run(command);
    EXPECT_EQ(ran.exit_code, 0) << command.front();
    EXPECT_THAT(ran.out, HasSubstr("Examples:\n  vettore " + command.front()));
    EXPECT_THAT(ran.out, HasSubstr("Exit codes: 0 done, 1 failed"));
  }
  EXPECT_THAT(Run({"--version"}).out, StartsWith("vettore 0."));
}

TEST_F(CommandLineTest, ServeHasAFlagForEverySetting) {
  const std::string help = Run({"serve", "--help"}).out;
  for (const Setting& setting : SettingsTable()) {
    EXPECT_THAT(help, HasSubstr(setting.FlagName()));
    EXPECT_THAT(help, HasSubstr(setting.EnvironmentName()));
  }
  EXPECT_EQ(Run({"serve", "--print-settings-markdown"}).out, SettingsMarkdown());
}

TEST_F(CommandLineTest, WrongCommandLinesExitWithTwoAndSayWhatIsMeant) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "a command is wanted"},
      {{"serach", "x"}, "did you mean 'vettore search'?"},
      {{"xyzzy"}, "there is no command 'xyzzy'"},
      {{"collection", "lits"}, "did you mean 'vettore collection list'?"},
      {{"collection"}, "a command is wanted"},
      {{"search"}, "a question"},
      {{"search", "x", "--vector", "[1]"}, "one of a question"},
      {{"search", "--vector", "[1, \"a\"]"}, "JSON array of numbers"},
      {{"search", "x", "-f", "a ~ b"}, "filter 'a ~ b': byte 2"},
      {{"search", "x", "--bogus"}, "--bogus"},
      {{"search", "x", "-k", "many"}, "-k"},
      {{"ingest"}, "paths is required"},
      {{"import", "a.npy"}, "--collection is required"},
      {{"import", "a.tar", "-c", "x"}, ".npy, .fvecs, .bvecs, .faiss or .jsonl"},
      {{"import", "a.jsonl", "-c", "x", "--ids", "i"}, "--ids"},
      {{"collection", "create", "x", "--dimension", "4", "--metric", "far"}, "--metric 'far'"},
      {{"collection", "create", "x", "--dimension", "0"}, "--dimension"},
      {{"collection", "create", "x", "--dimension", "4", "--payload-index", "a"}, "FIELD:KIND"},
      {{"serve", "--threads", "many"}, "--threads"},
      {{"serve", "--listen", "somewhere"}, "somewhere"},
  };
  for (const auto& [arguments, part] : cases) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, 2) << ran.error;
    EXPECT_THAT(ran.error, HasSubstr(part));
    EXPECT_EQ(ran.out, "");
  }
}

TEST_F(CommandLineTest, ErrorsAreJsonForPrograms) {
  const Ran usage = Run({"search", "--json"});
  EXPECT_EQ(usage.exit_code, 2);
  EXPECT_EQ(Json::parse(usage.error)["error"]["code"], "INVALID_ARGUMENT");
  const Ran typing = Run({"serach", "--json"});
  EXPECT_THAT(Json::parse(typing.error)["error"]["message"].get<std::string>(),
              HasSubstr("vettore search"));
  const Ran absent = Run({"status", "--json"});
  EXPECT_EQ(absent.exit_code, 1);
  EXPECT_EQ(Json::parse(absent.error)["error"]["code"], "UNAVAILABLE");
}

TEST_F(CommandLineTest, WithoutAServerEveryClientCommandSaysHowToStartOne) {
  Write("d.txt", "text");
  Write("p.jsonl", "{\"id\":1,\"vector\":[1]}\n");
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"status"},
                                             {"collection", "list"},
                                             {"search", "x"},
                                             {"ingest", "d.txt"},
                                             {"embed", "x"},
                                             {"import", "p.jsonl", "-c", "x"},
                                             {"export", "-c", "x"},
                                             {"bench", "collection", "x"}}) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, 1) << arguments.front();
    EXPECT_THAT(ran.error, HasSubstr("vettore serve --data-dir")) << arguments.front();
  }
}

}  // namespace
}  // namespace vettore
