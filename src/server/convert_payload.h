// Payloads and values between protobuf and JSON.
#pragma once

#include "absl/status/statusor.h"
#include "server/field_path.h"
#include "types/json.h"
#include "vettore/v1/common.pb.h"

namespace vettore {

// InvalidArgument for a value without a kind, a NaN or an infinity, and nesting past
// limits::kPayloadDepth. The size of the whole is the engine's to check.
absl::StatusOr<Json> PayloadFromProto(const v1::Payload& payload, const FieldPath& path);

// `object`: a payload as the engine returns it.
void PayloadToProto(const Json& object, v1::Payload& out);

}  // namespace vettore
