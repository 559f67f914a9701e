// Where the server listens: a TCP host and port, or the path of a Unix socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace vettore {

// Immutable.
class ListenAddress {
 public:
  // host:port, [IPv6]:port or unix:/path. `localhost` is 127.0.0.1; another host must be a numeric
  // address, so that what is bound never depends on a name service. InvalidArgument.
  static absl::StatusOr<ListenAddress> Parse(std::string_view text);

  bool is_unix() const { return !path_.empty(); }
  const std::string& path() const { return path_; }  // is_unix()
  // Reachable from this machine alone.
  bool is_local() const;

  // As clients and gRPC take it, with `port` in the place of 0.
  std::string ToString(int port) const;
  std::string ToString() const { return ToString(port_); }

  // Binds for a moment. OK, or a status that names the address and says what to do: AlreadyExists
  // when somebody listens there, PermissionDenied, FailedPrecondition for an address that this
  // machine has not. gRPC itself would take over the socket file of a running server.
  absl::Status Probe() const;

 private:
  ListenAddress() = default;
  absl::Status ProbeTcp() const;
  absl::Status ProbeUnix() const;

  std::string path_;
  std::string host_;  // Numeric, without brackets.
  uint16_t port_ = 0;
};

}  // namespace vettore
