// Reading fields of a model's JSON files, with errors that name the file and the field.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "types/json.h"

namespace vettore {

// The object, or the value of another type, that a file of at most 64 MiB holds. InvalidArgument
// when it holds something else, NotFound when it is not there. Unlike ParseJson it takes integers
// past 64 bits, as doubles: model files have them.
absl::StatusOr<Json> ReadJsonFile(const std::filesystem::path& path,
                                  Json::value_t type = Json::value_t::object);

// A JSON object and where it stands ("/models/m/config.json", "/models/m/tokenizer.json: model").
// Immutable; borrows the object.
class JsonFields {
 public:
  JsonFields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  const std::string& where() const { return where_; }
  // Null when absent, null, or when this is no object.
  const Json* Find(std::string_view key) const;

  // Leave `value` as it is when the field is absent or null; InvalidArgument when it has another
  // type or, for the integer, is outside [least, most].
  absl::Status Read(std::string_view key, bool& value) const;
  absl::Status Read(std::string_view key, std::string& value) const;
  absl::Status Read(std::string_view key, double& value) const;
  struct Bounds {
    uint64_t least, most;
  };
  absl::Status Read(std::string_view key, Bounds bounds, uint32_t& value) const;

  // InvalidArgument when the field is absent.
  absl::Status Require(std::string_view key) const;
  absl::Status Error(std::string_view key, std::string_view wanted) const;

 private:
  const Json& object_;
  const std::string where_;
};

}  // namespace vettore
