// Payloads are JSON values that tell integers from doubles: nlohmann::json keeps int64, uint64 and
// double apart.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace vettore {

using Json = nlohmann::json;

// Parses JSON text. InvalidArgument (with the byte offset) on malformed text, invalid UTF-8,
// nesting deeper than `max_depth`, or an integer outside int64.
absl::StatusOr<Json> ParseJson(std::string_view text, int max_depth);

// Checks a payload: an object, nested at most limits::kPayloadDepth deep, at most
// limits::kPayloadBytes as JSON text, valid UTF-8, integers within int64, no NaN or infinity.
// `where` opens the error message.
absl::Status ValidatePayload(const Json& payload, std::string_view where);

// The value at a dotted path ("author.name"; a key that holds dots itself is found first), or null
// when absent.
const Json* FindPath(const Json& object, std::string_view path);

// CBOR (RFC 8949), the form in which payloads are stored. Decoding bytes that are not CBOR is
// DataLoss.
std::string EncodeCbor(const Json& value);
absl::StatusOr<Json> DecodeCbor(std::string_view bytes);

}  // namespace vettore
