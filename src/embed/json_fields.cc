#include "embed/json_fields.h"

#include <utility>

#include "base/file.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

constexpr size_t kMaxJsonBytes = 64 << 20;
constexpr size_t kShownBytes = 60;

}  // namespace

absl::StatusOr<Json> ReadJsonFile(const std::filesystem::path& path, Json::value_t type) {
  absl::StatusOr<std::string> read = ReadFile(path, kMaxJsonBytes);
  if (absl::IsNotFound(read.status())) {
    return absl::InvalidArgumentError(StrCat(path.string(), ": the file is missing"));
  }
  VETTORE_ASSIGN_OR_RETURN(const std::string text, std::move(read));
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    return absl::InvalidArgumentError(
        StrCat(path.string(), ": not valid JSON (", text.size(), " bytes)"));
  }
  if (json.type() != type) {
    return absl::InvalidArgumentError(StrCat(path.string(), ": expected a JSON ",
                                             Json(type).type_name(), ", found ", json.type_name()));
  }
  return json;
}

const Json* JsonFields::Find(std::string_view key) const {
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

absl::Status JsonFields::Error(std::string_view key, std::string_view wanted) const {
  const Json* value = Find(key);
  std::string got = "nothing";
  if (value != nullptr) {
    got = value->dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
    if (got.size() > kShownBytes) got = StrCat(got.substr(0, kShownBytes), "...");
  }
  return absl::InvalidArgumentError(
      StrCat(where_, ": field '", key, "': expected ", wanted, ", found ", got));
}

absl::Status JsonFields::Require(std::string_view key) const {
  return Find(key) == nullptr ? Error(key, "a value") : absl::OkStatus();
}

absl::Status JsonFields::Read(std::string_view key, bool& value) const {
  const Json* found = Find(key);
  if (found == nullptr) return absl::OkStatus();
  if (!found->is_boolean()) return Error(key, "true or false");
  value = found->get<bool>();
  return absl::OkStatus();
}

absl::Status JsonFields::Read(std::string_view key, std::string& value) const {
  const Json* found = Find(key);
  if (found == nullptr) return absl::OkStatus();
  if (!found->is_string()) return Error(key, "a string");
  value = found->get_ref<const std::string&>();
  return absl::OkStatus();
}

absl::Status JsonFields::Read(std::string_view key, double& value) const {
  const Json* found = Find(key);
  if (found == nullptr) return absl::OkStatus();
  if (!found->is_number()) return Error(key, "a number");
  value = found->get<double>();
  return absl::OkStatus();
}

absl::Status JsonFields::Read(std::string_view key, Bounds bounds, uint32_t& value) const {
  const Json* found = Find(key);
  if (found == nullptr) return absl::OkStatus();
  const bool fits = found->is_number_unsigned() && found->get<uint64_t>() >= bounds.least &&
                    found->get<uint64_t>() <= bounds.most;
  if (!fits) {
    return Error(key, StrCat("an integer from ", bounds.least, " to ", bounds.most));
  }
  value = static_cast<uint32_t>(found->get<uint64_t>());
  return absl::OkStatus();
}

}  // namespace vettore
