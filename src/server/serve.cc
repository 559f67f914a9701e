#include "server/serve.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/time/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "server/version.h"

namespace vettore {
namespace {

// What a signal handler can reach. Libraries have started threads before main (OpenBLAS does), so
// that no mask could keep a signal from them: only a handler holds for every thread.
std::atomic<int> first_signal = 0;
int stop_event = -1;

void OnStopSignal(int signal) {
  const int saved_errno = errno;
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, signal)) {
    constexpr std::string_view kLine = "second signal, ending at once\n";
    static_cast<void>(!write(STDERR_FILENO, kLine.data(), kLine.size()));
    _exit(128 + signal);
  }
  const uint64_t one = 1;
  static_cast<void>(!write(stop_event, &one, sizeof(one)));
  errno = saved_errno;
}

// True once standard input has ended; reads away what it holds.
bool StdinEnded() {
  char ignored[4096];
  return read(STDIN_FILENO, ignored, sizeof(ignored)) <= 0;
}

// Takes SIGTERM and SIGINT for as long as it lives; one at a time. Externally synchronised.
class StopSignals {
 public:
  explicit StopSignals(StdinEnd stdin_end) : stdin_end_(stdin_end) {
    first_signal = 0;
    stop_event = eventfd(0, EFD_CLOEXEC);
    VETTORE_CHECK(stop_event >= 0);
    struct sigaction action = {};
    action.sa_handler = OnStopSignal;
    action.sa_flags = SA_RESTART;
    sigaction(SIGTERM, &action, &former_term_);
    sigaction(SIGINT, &action, &former_int_);
  }
  ~StopSignals() {
    sigaction(SIGTERM, &former_term_, nullptr);
    sigaction(SIGINT, &former_int_, nullptr);
    close(stop_event);
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // Returns at the first signal, or at the end of standard input where that counts.
  void Wait() const {
    pollfd watched[2] = {{.fd = stop_event, .events = POLLIN, .revents = 0},
                         {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0}};
    const nfds_t count = stdin_end_ == StdinEnd::kStops ? 2 : 1;
    do {
      while (poll(watched, count, -1) < 0) {
      }
      if (watched[1].revents != 0 && StdinEnded()) return;
    } while (watched[0].revents == 0);
  }

 private:
  const StdinEnd stdin_end_;
  struct sigaction former_term_ = {};
  struct sigaction former_int_ = {};
};

}  // namespace

absl::Status ServeUntilSignal(const ServerOptions& options, StdinEnd stdin_end,
                              const std::function<absl::Status(const Server&)>& on_ready) {
  ConfigureLog(options.log_level, options.log_format);
  std::signal(SIGPIPE, SIG_IGN);
  const StopSignals signals(stdin_end);
  const absl::Time began = absl::Now();
  VETTORE_ASSIGN_OR_RETURN(const std::unique_ptr<Server> server, Server::Start(options));
  Log(LogLevel::kInfo, "serving",
      {{"version", Version()},
       {"address", server->address()},
       {"data_dir", options.data_dir},
       {"models_dir", options.models_dir},
       {"start_ms", absl::ToInt64Milliseconds(absl::Now() - began)}});
  absl::Status ready = on_ready(*server);
  if (ready.ok()) signals.Wait();
  server->Stop(absl::Seconds(options.grace_seconds));
  Log(LogLevel::kInfo, "stopped");
  return ready;
}

}  // namespace vettore
