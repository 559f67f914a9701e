// The server: a data directory, a models directory and the doors to them.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/server_options.h"

namespace vettore {

// Thread-safe.
class Server {
 public:
  // Opens the data directory and serves. When it returns, every collection answers. AlreadyExists
  // for an address in use, FailedPrecondition for one beyond loopback without `insecure_remote`,
  // and what Database::Open returns.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options);
  // Stops at once if Stop was not called.
  ~Server();

  // What a client connects to: "127.0.0.1:6320" with the port chosen, or "unix:/path".
  const std::string& address() const;
  int port() const;  // 0 for a Unix socket.

  // Reports NOT_SERVING, refuses new calls, lets those in flight end for at most `grace`, cancels
  // the rest, and closes the data directory. A second call waits for the first.
  void Stop(absl::Duration grace);
  // Returns after Stop.
  void Wait() const;

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace vettore
