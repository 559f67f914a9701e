#include "cli/program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <sstream>

#include "absl/time/clock.h"
#include "support/real_model.h"

namespace vettore {
namespace {

namespace fs = std::filesystem;

// Beside the folder of this test's own program, as CMake lays them out.
std::string Binary() {
  return (fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "vettore").string();
}

std::string ReadAll(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

fs::path WithSuffix(const fs::path& prefix, const char* suffix) { return prefix.string() + suffix; }

// In the child, where only async-signal-safe calls are allowed.
void Redirect(const char* path, int flags, int to) {
  const int from = ::open(path, flags, 0600);
  if (from < 0 || ::dup2(from, to) < 0) ::_exit(126);
}

}  // namespace

Child::Child(const fs::path& directory, std::vector<std::string> arguments,
             const std::string& input)
    : files_([&] {
        static std::atomic<int> next = 0;
        return directory / (".run-" + std::to_string(next++));
      }()) {
  const std::string in = WithSuffix(files_, ".in");
  const std::string out = WithSuffix(files_, ".out");
  const std::string error = WithSuffix(files_, ".err");
  std::ofstream(in, std::ios::binary) << input;
  arguments.insert(arguments.begin(), Binary());
  std::vector<char*> words;
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  process_ = ::fork();
  if (process_ != 0) return;
  Redirect(in.c_str(), O_RDONLY, STDIN_FILENO);
  Redirect(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
  Redirect(error.c_str(), O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
  if (::chdir(directory.c_str()) != 0) ::_exit(126);
  ::execv(words[0], words.data());
  ::_exit(127);
}

Child::~Child() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

void Child::Signal(int signal) const { ::kill(process_, signal); }

std::string Child::error_so_far() const { return ReadAll(WithSuffix(files_, ".err")); }

Ran Child::Wait() {
  int status = 0;
  ::waitpid(process_, &status, 0);
  process_ = -1;
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          .out = ReadAll(WithSuffix(files_, ".out")),
          .error = ReadAll(WithSuffix(files_, ".err"))};
}

void Program::StartServer(const std::vector<std::string>& flags) {
  std::vector<std::string> arguments = {
      "serve",   "--data-dir",   (folder_.path() / "data").string(), "--listen",
      address(), "--models-dir", RealModelsDirectory().string()};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  server_ = std::make_unique<Child>(folder_.path(), arguments);
  const absl::Time give_up = absl::Now() + absl::Seconds(60);
  while (Run({"status", "--timeout", "5"}).exit_code != 0) {
    ASSERT_LT(absl::Now(), give_up) << server_->error_so_far();
    absl::SleepFor(absl::Milliseconds(50));
  }
}

Ran Program::StopServer() {
  server_->Signal(SIGTERM);
  return server_->Wait();
}

void Program::KillServer() {
  server_->Signal(SIGKILL);
  server_->Wait();
}

std::unique_ptr<Child> Program::Start(std::vector<std::string> arguments,
                                      const std::string& input) {
  arguments.insert(arguments.end(), {"--server", address()});
  return std::make_unique<Child>(folder_.path(), std::move(arguments), input);
}

Ran Program::Run(std::vector<std::string> arguments, const std::string& input) {
  return Start(std::move(arguments), input)->Wait();
}

Json Program::RunJson(std::vector<std::string> arguments, const std::string& input) {
  arguments.emplace_back("--json");
  const Ran ran = Run(std::move(arguments), input);
  EXPECT_EQ(ran.exit_code, 0) << ran.error;
  EXPECT_EQ(ran.error, "");
  EXPECT_FALSE(ran.json().is_discarded()) << ran.out;
  return ran.json();
}

std::string Program::Write(const std::string& name, std::string_view bytes) {
  const fs::path path = folder_.path() / name;
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
  return path.string();
}

std::string Program::Read(const std::string& name) { return ReadAll(folder_.path() / name); }

}  // namespace vettore
