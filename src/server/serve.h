// `vettore serve`: a server that runs until a signal stops it.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "server/server.h"
#include "server/server_options.h"

namespace vettore {

// Whether the end of standard input stops the server too: a program that holds the other end takes
// its server along, however it ends.
enum class StdinEnd { kIgnored, kStops };

// Configures the log, starts the server, calls `on_ready` once it answers, and stops it with its
// grace on SIGTERM or SIGINT. A second signal ends the process at once, which loses nothing that
// was acknowledged as durable. One call at a time.
absl::Status ServeUntilSignal(const ServerOptions& options, StdinEnd stdin_end,
                              const std::function<absl::Status(const Server&)>& on_ready);

}  // namespace vettore
