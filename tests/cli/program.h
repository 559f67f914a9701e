// The real program in child processes: a server on a Unix socket, and commands that ask it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "support/temporary_directory.h"
#include "types/json.h"

namespace vettore {

struct Ran {
  int exit_code = -1;  // 128 + the signal that ended it.
  std::string out;
  std::string error;
  Json json() const { return Json::parse(out, nullptr, false); }
};

// A child process. Externally synchronised.
class Child {
 public:
  // `directory` takes the child's input and output and is its working directory.
  Child(const std::filesystem::path& directory, std::vector<std::string> arguments,
        const std::string& input = "");
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void Signal(int signal) const;
  Ran Wait();
  std::string error_so_far() const;

 private:
  const std::filesystem::path files_;  // A prefix.
  pid_t process_ = -1;
};

// A folder with a server. Commands run within the folder.
class Program : public testing::Test {
 protected:
  void StartServer(const std::vector<std::string>& flags = {});
  // SIGTERM; the exit code.
  Ran StopServer();
  // As kill -9 does.
  void KillServer();

  // `vettore arguments... --server SOCKET`.
  Ran Run(std::vector<std::string> arguments, const std::string& input = "");
  // Run with --json; the parsed output of a command that must succeed.
  Json RunJson(std::vector<std::string> arguments, const std::string& input = "");
  std::unique_ptr<Child> Start(std::vector<std::string> arguments, const std::string& input = "");

  std::string Write(const std::string& name, std::string_view bytes);
  std::string Read(const std::string& name);
  // "unix:..." of the server.
  std::string address() const { return "unix:" + (folder_.path() / "socket").string(); }

  TemporaryDirectory folder_;
  std::unique_ptr<Child> server_;
};

}  // namespace vettore
