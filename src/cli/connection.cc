#include "cli/connection.h"

#include <string>

#include "absl/strings/numbers.h"
#include "base/strings.h"
#include "cli/terminal.h"

namespace vettore {
namespace {

constexpr std::string_view kUnix = "unix:";

absl::Status CheckAddress(const std::string& server) {
  if (server.starts_with(kUnix) && server.size() > kUnix.size()) return absl::OkStatus();
  const size_t colon = server.rfind(':');
  int port = 0;
  if (colon != std::string::npos && colon > 0 && server.find('/') == std::string::npos &&
      absl::SimpleAtoi(server.substr(colon + 1), &port) && port > 0 && port < 65'536) {
    return absl::OkStatus();
  }
  return UsageError(StrCat("--server (or VETTORE_SERVER) '", server,
                           "': host:port is wanted, such as 127.0.0.1:6320, or unix:/path"));
}

}  // namespace

absl::StatusOr<Connection> Connection::Open(const GlobalOptions& globals) {
  if (absl::Status checked = CheckAddress(globals.server); !checked.ok()) return checked;
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // The server bounds its replies.
  arguments.SetMaxSendMessageSize(-1);
  // A proxy of the environment is for the web, not for a server on this machine or network.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  return Connection(globals, grpc::CreateCustomChannel(
                                 globals.server, grpc::InsecureChannelCredentials(), arguments));
}

Connection::Connection(const GlobalOptions& globals, const std::shared_ptr<grpc::Channel>& channel)
    : server_(globals.server),
      timeout_(globals.timeout()),
      admin_(v1::Admin::NewStub(channel)),
      collections_(v1::Collections::NewStub(channel)),
      documents_(v1::Documents::NewStub(channel)),
      embeddings_(v1::Embeddings::NewStub(channel)),
      points_(v1::Points::NewStub(channel)),
      search_(v1::Search::NewStub(channel)) {}

absl::Status Connection::StatusOf(const grpc::Status& status) const {
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  std::string message = status.error_message();
  if (code == absl::StatusCode::kUnavailable) {
    message = StrCat("no server answers at ", server_, " (", message,
                     ")\nstart one with: vettore serve --data-dir vettore-data\nor name another "
                     "with --server or VETTORE_SERVER");
  } else if (code == absl::StatusCode::kDeadlineExceeded) {
    message = StrCat("no answer from ", server_, " within ", FormatSpan(timeout_), " (", message,
                     "); --timeout SECONDS waits longer");
  }
  return absl::Status(code, message);
}

}  // namespace vettore
