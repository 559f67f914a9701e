// One unary call, from its bytes to its reply.
#pragma once

#include <functional>
#include <string_view>

#include "absl/status/status.h"
#include "base/status.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/api.h"
#include "server/dispatcher.h"
#include "server/request_arena.h"
#include "server/wire.h"

namespace vettore {

// Parses, runs one operation and serialises its reply.
using UnaryHandler = std::function<absl::Status(
    const grpc::ByteBuffer& in, const RequestContext& context, grpc::ByteBuffer& out)>;

// An operation of Api as a handler. The borrow must outlive it.
template <typename Request, typename Response>
UnaryHandler HandlerOf(Api& api, size_t max_reply_bytes,
                       absl::StatusOr<Response> (Api::*method)(const Request&,
                                                               const RequestContext&)) {
  return [&api, max_reply_bytes, method](const grpc::ByteBuffer& in, const RequestContext& context,
                                         grpc::ByteBuffer& out) -> absl::Status {
    RequestArena arena;
    VETTORE_ASSIGN_OR_RETURN(const Request* const request, arena.Parse<Request>(in));
    absl::StatusOr<Response> response = (api.*method)(*request, context);
    if (!response.ok()) return std::move(response).status();
    return SerializeMessage(*response, max_reply_bytes, out);
  };
}

struct UnaryRoute {
  std::string_view method;  // "Points/Upsert"; a literal.
  Lane lane;
  UnaryHandler handler;
};

// Starts the call: admits it, schedules it, and finishes it from the pool. The borrows outlive the
// call.
grpc::ServerUnaryReactor* StartUnaryCall(Dispatcher& dispatcher,
                                         grpc::CallbackServerContext& context,
                                         const grpc::ByteBuffer& in, grpc::ByteBuffer& out,
                                         UnaryRoute route);

// When the client gives up; InfiniteFuture when it does not.
absl::Time DeadlineOf(const grpc::CallbackServerContext& context);

}  // namespace vettore
