// The connection of a command to the server, and what its failures mean to the user.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "cli/command.h"
#include "grpcpp/grpcpp.h"
#include "vettore/v1/admin.grpc.pb.h"
#include "vettore/v1/collections.grpc.pb.h"
#include "vettore/v1/documents.grpc.pb.h"
#include "vettore/v1/embeddings.grpc.pb.h"
#include "vettore/v1/points.grpc.pb.h"
#include "vettore/v1/search.grpc.pb.h"

namespace vettore {

// Thread-safe.
class Connection {
 public:
  // Usage error unless the address is host:port or unix:/path. Connects with the first call.
  static absl::StatusOr<Connection> Open(const GlobalOptions& globals);

  const std::unique_ptr<v1::Admin::Stub>& admin() const { return admin_; }
  const std::unique_ptr<v1::Collections::Stub>& collections() const { return collections_; }
  const std::unique_ptr<v1::Documents::Stub>& documents() const { return documents_; }
  const std::unique_ptr<v1::Embeddings::Stub>& embeddings() const { return embeddings_; }
  const std::unique_ptr<v1::Points::Stub>& points() const { return points_; }
  const std::unique_ptr<v1::Search::Stub>& search() const { return search_; }

  // One unary call under the command's timeout: Call(connection.points(), &v1::Points::Stub::Get,
  // request).
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(const std::unique_ptr<Stub>& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) const {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout_));
    Response response;
    const grpc::Status status = (stub.get()->*method)(&context, request, &response);
    if (!status.ok()) return StatusOf(status);
    return response;
  }

  // The server's status, with what to do where the server cannot know: it is not running, it does
  // not answer in time.
  absl::Status StatusOf(const grpc::Status& status) const;

  absl::Duration timeout() const { return timeout_; }

 private:
  Connection(const GlobalOptions& globals, const std::shared_ptr<grpc::Channel>& channel);

  std::string server_;
  absl::Duration timeout_;
  std::unique_ptr<v1::Admin::Stub> admin_;
  std::unique_ptr<v1::Collections::Stub> collections_;
  std::unique_ptr<v1::Documents::Stub> documents_;
  std::unique_ptr<v1::Embeddings::Stub> embeddings_;
  std::unique_ptr<v1::Points::Stub> points_;
  std::unique_ptr<v1::Search::Stub> search_;
};

}  // namespace vettore
