#include "server/convert_payload.h"

#include <cmath>
#include <utility>

#include "base/status.h"
#include "types/limits.h"

namespace vettore {
namespace {

absl::StatusOr<Json> ObjectFromProto(const v1::Payload& payload, const FieldPath& path, int depth);

absl::StatusOr<Json> ValueFromProto(const v1::Value& value, const FieldPath& path, int depth) {
  switch (value.kind_case()) {
    case v1::Value::kNull:
      if (!value.null()) return path.Invalid("`null` stands for JSON's null and is always true");
      return Json(nullptr);
    case v1::Value::kBoolean:
      return Json(value.boolean());
    case v1::Value::kInteger:
      return Json(value.integer());
    case v1::Value::kNumber:
      if (!std::isfinite(value.number()))
        return path.Invalid("a number must be finite, got NaN or infinity");
      return Json(value.number());
    case v1::Value::kText:
      return Json(value.text());
    case v1::Value::kObject:
      return ObjectFromProto(value.object(), path, depth + 1);
    case v1::Value::kList: {
      if (depth + 1 > limits::kPayloadDepth) {
        return path.Invalid(StrCat("nested deeper than ", limits::kPayloadDepth));
      }
      Json list = Json::array();
      for (int i = 0; i < value.list().values_size(); ++i) {
        const FieldPath element(path, "values", static_cast<size_t>(i));
        VETTORE_ASSIGN_OR_RETURN(Json converted,
                                 ValueFromProto(value.list().values(i), element, depth + 1));
        list.push_back(std::move(converted));
      }
      return list;
    }
    case v1::Value::KIND_NOT_SET:
      return path.Invalid(
          "a value without a kind; set one of null, boolean, integer, number, text, list, object");
  }
  return path.Invalid("a value of an unknown kind");
}

absl::StatusOr<Json> ObjectFromProto(const v1::Payload& payload, const FieldPath& path, int depth) {
  if (depth > limits::kPayloadDepth) {
    return path.Invalid(StrCat("nested deeper than ", limits::kPayloadDepth));
  }
  Json object = Json::object();
  for (const auto& [key, value] : payload.fields()) {
    VETTORE_ASSIGN_OR_RETURN(Json converted, ValueFromProto(value, FieldPath(path, key), depth));
    object.emplace(key, std::move(converted));
  }
  return object;
}

void ValueToProto(const Json& value, v1::Value& out) {
  switch (value.type()) {
    case Json::value_t::boolean:
      out.set_boolean(value.get<bool>());
      return;
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:  // Within int64: ValidatePayload.
      out.set_integer(value.get<int64_t>());
      return;
    case Json::value_t::number_float:
      out.set_number(value.get<double>());
      return;
    case Json::value_t::string:
      out.set_text(value.get_ref<const std::string&>());
      return;
    case Json::value_t::array: {
      v1::ListValue& list = *out.mutable_list();
      for (const Json& element : value) ValueToProto(element, *list.add_values());
      return;
    }
    case Json::value_t::object:
      PayloadToProto(value, *out.mutable_object());
      return;
    case Json::value_t::null:
    case Json::value_t::binary:  // Not JSON: never in a payload.
    case Json::value_t::discarded:
      out.set_null(true);
      return;
  }
}

}  // namespace

absl::StatusOr<Json> PayloadFromProto(const v1::Payload& payload, const FieldPath& path) {
  return ObjectFromProto(payload, path, 1);
}

void PayloadToProto(const Json& object, v1::Payload& out) {
  auto& fields = *out.mutable_fields();
  for (const auto& [key, value] : object.items()) ValueToProto(value, fields[key]);
}

}  // namespace vettore
