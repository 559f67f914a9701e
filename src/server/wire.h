// Messages and statuses on the wire: protobuf in gRPC's byte buffers, absl's codes as gRPC's.
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "google/protobuf/message_lite.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"

namespace vettore {

// InvalidArgument for bytes that are no such message. Takes deeper nesting than protobuf does by
// default, so that what is nested too deep is refused by the limit that says so.
absl::Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message);

// ResourceExhausted for a message of more than `max_bytes`.
absl::Status SerializeMessage(const google::protobuf::MessageLite& message, size_t max_bytes,
                              grpc::ByteBuffer& bytes);

// The code as it is; the message as it is, shortened where HTTP/2 headers could not carry it.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace vettore
