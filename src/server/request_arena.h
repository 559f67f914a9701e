// The memory of one request's messages.
#pragma once

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/arena.h"
#include "grpcpp/support/byte_buffer.h"
#include "server/wire.h"

namespace vettore {

// A message of two bytes on the wire takes fifty in memory, so that a request within the size limit
// could unfold to gigabytes: its messages get no more than a multiple of its size. Externally
// synchronised.
class RequestArena {
 public:
  RequestArena();

  // The message in `bytes`; it lives as long as the arena. InvalidArgument, as ParseMessage;
  // ResourceExhausted for one that unfolds too far.
  template <typename Message>
  absl::StatusOr<const Message*> Parse(const grpc::ByteBuffer& bytes) {
    Message* message = nullptr;
    absl::Status parsed = WithinLimit(bytes.Length(), [&] {
      message = google::protobuf::Arena::CreateMessage<Message>(&arena_);
      return ParseMessage(bytes, *message);
    });
    if (!parsed.ok()) return parsed;
    return message;
  }

 private:
  absl::Status WithinLimit(size_t wire_bytes, absl::FunctionRef<absl::Status()> parse);

  google::protobuf::Arena arena_;
};

}  // namespace vettore
