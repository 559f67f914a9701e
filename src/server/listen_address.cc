#include "server/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "base/strings.h"

namespace vettore {
namespace {

constexpr size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;

absl::Status Malformed(std::string_view text) {
  return absl::InvalidArgumentError(
      StrCat("listen: expects host:port with a numeric host or localhost, [IPv6]:port or "
             "unix:/path, got '",
             absl::CHexEscape(AbslView(text.substr(0, 200))), "'"));
}

bool ParseV4(const std::string& host, in_addr& out) {
  return inet_pton(AF_INET, host.c_str(), &out) == 1;
}
bool ParseV6(const std::string& host, in6_addr& out) {
  return inet_pton(AF_INET6, host.c_str(), &out) == 1;
}

absl::Status BindError(int error, const std::string& address) {
  switch (error) {
    case EADDRINUSE:
      return absl::AlreadyExistsError(StrCat(
          "listen: ", address,
          " is in use by another process; stop that one, or choose another address with --listen "
          "(port 0 takes a free port)"));
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(
          StrCat("listen: this user may not listen on ", address,
                 "; ports below 1024 need privileges: choose a higher one with --listen"));
    case EADDRNOTAVAIL:
      return absl::FailedPreconditionError(StrCat("listen: this machine has no address ", address,
                                                  "; choose one of its own with --listen"));
    default:
      return absl::UnavailableError(
          StrCat("listen: cannot listen on ", address, ": ", std::strerror(error)));
  }
}

}  // namespace

absl::StatusOr<ListenAddress> ListenAddress::Parse(std::string_view text) {
  ListenAddress address;
  std::string_view rest = text;
  if (rest.starts_with("unix:")) {
    rest.remove_prefix(5);
    if (rest.empty() || rest.find('\0') != std::string_view::npos) return Malformed(text);
    if (rest.size() > kMaxPath) {
      return absl::InvalidArgumentError(StrCat("listen: the path of a Unix socket has at most ",
                                               kMaxPath, " bytes, got ", rest.size()));
    }
    address.path_ = std::string(rest);
    return address;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Malformed(text);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  address.host_ = host == "localhost" ? "127.0.0.1" : std::string(host);
  in_addr v4;
  in6_addr v6;
  if (bracketed ? !ParseV6(address.host_, v6) : !ParseV4(address.host_, v4)) return Malformed(text);
  uint32_t port = 0;
  if (!absl::SimpleAtoi(AbslView(text.substr(colon + 1)), &port) || port > 65'535)
    return Malformed(text);
  address.port_ = static_cast<uint16_t>(port);
  return address;
}

bool ListenAddress::is_local() const {
  if (is_unix()) return true;
  in_addr v4;
  if (ParseV4(host_, v4)) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6;
  return ParseV6(host_, v6) && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string ListenAddress::ToString(int port) const {
  if (is_unix()) return StrCat("unix:", path_);
  if (absl::StrContains(host_, ":")) return StrCat("[", host_, "]:", port);
  return StrCat(host_, ":", port);
}

absl::Status ListenAddress::Probe() const { return is_unix() ? ProbeUnix() : ProbeTcp(); }

absl::Status ListenAddress::ProbeTcp() const {
  sockaddr_storage storage = {};
  socklen_t size = 0;
  if (auto* v4 = reinterpret_cast<sockaddr_in*>(&storage); ParseV4(host_, v4->sin_addr)) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port_);
    size = sizeof(*v4);
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    ParseV6(host_, v6->sin6_addr);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port_);
    size = sizeof(*v6);
  }
  const int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return BindError(errno, ToString());
  const absl::Cleanup closes = [fd] { close(fd); };
  // As gRPC does: a port whose last connections linger in TIME_WAIT is free.
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(fd, reinterpret_cast<const sockaddr*>(&storage), size) != 0 || listen(fd, 1) != 0) {
    return BindError(errno, ToString());
  }
  return absl::OkStatus();
}

absl::Status ListenAddress::ProbeUnix() const {
  struct stat info;
  if (lstat(path_.c_str(), &info) != 0) {
    return errno == ENOENT ? absl::OkStatus() : BindError(errno, ToString());
  }
  if (!S_ISSOCK(info.st_mode)) {
    return absl::AlreadyExistsError(
        StrCat("listen: ", path_, " is there and is no socket; remove it or choose another path"));
  }
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return BindError(errno, ToString());
  const absl::Cleanup closes = [fd] { close(fd); };
  // A refused connection means that the file was left behind by a process that is gone; gRPC then
  // replaces it.
  const bool refused =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 &&
      errno == ECONNREFUSED;
  return refused ? absl::OkStatus() : BindError(EADDRINUSE, ToString());
}

}  // namespace vettore
