// One ingestion stream: batches in, an answer for each, in order, with credits for back-pressure.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/exceptions.h"
#include "base/status.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/api.h"
#include "server/dispatcher.h"
#include "server/request_arena.h"
#include "server/stream_registry.h"
#include "server/wire.h"

namespace vettore {

// What a stream does with one batch. A batch that fails is an answer; a status ends the stream.
struct BatchHandler {
  // Parses, runs the operation and serialises its answer, or the error in its place.
  std::function<absl::StatusOr<grpc::ByteBuffer>(const grpc::ByteBuffer& in,
                                                 const RequestContext& context)>
      run;
  // The first message of a stream: it grants credits and answers nothing.
  std::function<absl::StatusOr<grpc::ByteBuffer>()> greeting;
};

struct BatchOptions {
  std::string_view method;  // "Points/UpsertStream"; a literal.
  uint32_t credits = 4;
  size_t max_reply_bytes = 0;
};

template <typename StreamRequest, typename StreamResponse, typename Request, typename Response>
BatchHandler BatchHandlerOf(Api& api, const Dispatcher& dispatcher, const BatchOptions& options,
                            absl::StatusOr<Response> (Api::*method)(const Request&,
                                                                    const RequestContext&)) {
  const auto run = [&api, &dispatcher, options, method](
                       const grpc::ByteBuffer& in,
                       const RequestContext& context) -> absl::StatusOr<grpc::ByteBuffer> {
    RequestArena arena;
    VETTORE_ASSIGN_OR_RETURN(const StreamRequest* const request, arena.Parse<StreamRequest>(in));
    StreamResponse answer;
    answer.set_batch_id(request->batch_id());
    answer.set_credits(options.credits);
    const absl::Status status = CatchExceptions("serve the request", [&] {
      absl::StatusOr<Response> response = (api.*method)(request->batch(), context);
      if (!response.ok()) return response.status();
      *answer.mutable_response() = *std::move(response);
      return absl::OkStatus();
    });
    dispatcher.LogCall(options.method, status, absl::Now() - context.arrived);
    if (!status.ok()) {
      answer.mutable_error()->set_code(static_cast<int>(status.code()));
      answer.mutable_error()->set_message(ToGrpcStatus(status).error_message());
    }
    grpc::ByteBuffer out;
    if (absl::Status written = SerializeMessage(answer, options.max_reply_bytes, out);
        !written.ok())
      return written;
    return out;
  };
  const auto greeting = [options]() -> absl::StatusOr<grpc::ByteBuffer> {
    StreamResponse granted;
    granted.set_credits(options.credits);
    grpc::ByteBuffer out;
    if (absl::Status written = SerializeMessage(granted, options.max_reply_bytes, out);
        !written.ok())
      return written;
    return out;
  };
  return {.run = run, .greeting = greeting};
}

// Starts a stream that reads at most `options.credits` batches ahead of its answers and runs them
// one by one in the write lane. The borrows outlive the stream.
grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StartBatchStream(
    Dispatcher& dispatcher, StreamRegistry& registry, grpc::CallbackServerContext& context,
    BatchHandler handler, const BatchOptions& options);

}  // namespace vettore
