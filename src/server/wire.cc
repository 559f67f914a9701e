#include "server/wire.h"

#include <algorithm>
#include <string>

#include "absl/strings/escaping.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "google/protobuf/io/coded_stream.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/proto_buffer_writer.h"

namespace vettore {
namespace {

// Protobuf's own default is 100 messages, which a payload of limits::kPayloadDepth objects nearly
// takes: each is three.
constexpr int kMessageDepth = 400;
// Of a writer's slices.
constexpr int kSliceBytes = 1 << 20;
// Clients take 8 KB of headers by default, and a byte may be sent as three.
constexpr size_t kStatusMessageBytes = 2'000;

}  // namespace

absl::Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message) {
  grpc::ByteBuffer shared(
      bytes);  // The reader wants it mutable; the slices are shared, not copied.
  grpc::ProtoBufferReader reader(&shared);
  if (reader.status().ok()) {
    google::protobuf::io::CodedInputStream stream(&reader);
    stream.SetRecursionLimit(kMessageDepth);
    if (message.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage())
      return absl::OkStatus();
  }
  return absl::InvalidArgumentError(StrCat(
      "the request is no valid ", message.GetTypeName(),
      ": malformed bytes, text that is not UTF-8, or messages nested deeper than ", kMessageDepth));
}

absl::Status SerializeMessage(const google::protobuf::MessageLite& message, size_t max_bytes,
                              grpc::ByteBuffer& bytes) {
  const size_t size = message.ByteSizeLong();
  if (size > max_bytes) {
    return absl::ResourceExhaustedError(
        StrCat("the reply has ", size, " bytes, at most ", max_bytes,
               " (max_message_bytes); ask for fewer points or fields at a time"));
  }
  grpc::ProtoBufferWriter writer(&bytes, kSliceBytes, static_cast<int>(size));
  if (!message.SerializeToZeroCopyStream(&writer)) {
    return absl::InternalError(
        StrCat("the reply ", message.GetTypeName(), " cannot be serialised"));
  }
  return absl::OkStatus();
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  std::string message(StdView(status.message()));
  if (message.size() > kStatusMessageBytes) {
    size_t end = kStatusMessageBytes;
    while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0) == 0x80) --end;
    message = message.substr(0, end) + " ...";
  }
  // Of a name that was shortened elsewhere, half a character may be left.
  if (!IsValidUtf8(message)) message = absl::CHexEscape(message);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), message);
}

}  // namespace vettore
