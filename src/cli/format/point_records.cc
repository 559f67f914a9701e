#include "cli/format/point_records.h"

#include <charconv>
#include <cmath>
#include <system_error>

#include "absl/status/status.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/format/blank.h"
#include "cli/format/json_record.h"
#include "types/limits.h"

namespace vettore {
namespace {

// 16 vectors of 65,536 numbers of up to 25 characters, and a payload.
constexpr size_t kMaxLineBytes = 32 << 20;

absl::StatusOr<PointId> IdOf(const Json& record) {
  const auto found = record.find("id");
  if (found == record.end()) return absl::InvalidArgumentError("no \"id\"");
  if (found->is_number_unsigned()) return PointId(found->get<uint64_t>());
  if (found->is_string()) return PointId::Parse(found->get_ref<const std::string&>());
  return absl::InvalidArgumentError(
      StrCat("\"id\": an integer from 0 to 2^64 - 1 or a text is wanted, got ", found->dump()));
}

absl::StatusOr<std::vector<float>> VectorOf(const Json& values, std::string_view where) {
  if (!values.is_array()) {
    return absl::InvalidArgumentError(
        StrCat(where, ": an array of numbers is wanted, got ", values.type_name()));
  }
  std::vector<float> vector;
  vector.reserve(values.size());
  for (const Json& value : values) {
    if (!value.is_number()) {
      return absl::InvalidArgumentError(
          StrCat(where, "[", vector.size(), "]: a number is wanted, got ", value.type_name()));
    }
    vector.push_back(value.get<float>());
    if (!std::isfinite(vector.back())) {
      return absl::InvalidArgumentError(
          StrCat(where, "[", vector.size() - 1, "]: ", value.dump(), " is past the range of f32"));
    }
  }
  return vector;
}

absl::Status TakeVectors(const Json& named, PointRecord& point) {
  if (!named.is_object()) {
    return absl::InvalidArgumentError(
        StrCat("\"vectors\": an object of names and arrays is wanted, got ", named.type_name()));
  }
  for (const auto& [name, values] : named.items()) {
    VETTORE_ASSIGN_OR_RETURN(std::vector<float> vector,
                             VectorOf(values, StrCat("\"vectors\".\"", name, "\"")));
    point.vectors.emplace_back(name, std::move(vector));
  }
  return absl::OkStatus();
}

void AppendFloat(float value, std::string& out) {
  char text[32];
  std::to_chars_result end = std::to_chars(text, text + sizeof text, value);
  // Readers parse JSON numbers as doubles and round once more; where that does not lead back (it is
  // rare), the double's own digits do.
  double read = 0;
  std::from_chars(text, end.ptr, read);
  if (static_cast<float>(read) != value) {
    end = std::to_chars(text, text + sizeof text, static_cast<double>(value));
  }
  out.append(text, end.ptr);
}

}  // namespace

absl::StatusOr<PointRecord> ParsePointRecord(std::string_view text) {
  VETTORE_ASSIGN_OR_RETURN(Json record, ParseJsonRecord(text, limits::kPayloadDepth + 1));
  PointRecord point;
  VETTORE_ASSIGN_OR_RETURN(point.id, IdOf(record));
  for (auto& [key, value] : record.items()) {
    if (key == "vector") {
      if (record.contains("vectors")) {
        return absl::InvalidArgumentError("\"vector\" and \"vectors\" together; one is wanted");
      }
      VETTORE_ASSIGN_OR_RETURN(std::vector<float> vector, VectorOf(value, "\"vector\""));
      point.vectors.emplace_back("", std::move(vector));
    } else if (key == "vectors") {
      VETTORE_RETURN_IF_ERROR(TakeVectors(value, point));
    } else if (key == "payload") {
      if (!value.is_null()) point.payload = std::move(value);
      VETTORE_RETURN_IF_ERROR(ValidatePayload(point.payload, "\"payload\""));
    } else if (key != "id") {
      return absl::InvalidArgumentError(
          StrCat("unknown key \"", key,
                 "\"; the keys are id, vector or vectors, and payload; "
                 "vettore ingest takes documents with text"));
    }
  }
  return point;
}

std::string FormatFloats(std::span<const float> values) {
  std::string out = "[";
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    AppendFloat(values[i], out);
  }
  out += ']';
  return out;
}

std::string FormatPointRecord(const PointRecord& record) {
  std::string out = "{\"id\":";
  out += record.id.is_number() ? StrCat(record.id.number()) : Json(record.id.text()).dump();
  if (record.vectors.size() == 1 && record.vectors.front().first.empty()) {
    StrAppend(&out, ",\"vector\":", FormatFloats(record.vectors.front().second));
  } else if (!record.vectors.empty()) {
    out += ",\"vectors\":{";
    for (const auto& [name, vector] : record.vectors) {
      if (out.back() != '{') out += ',';
      StrAppend(&out, Json(name).dump(), ":", FormatFloats(vector));
    }
    out += '}';
  }
  StrAppend(&out,
            ",\"payload\":", record.payload.dump(-1, ' ', false, Json::error_handler_t::replace),
            "}");
  return out;
}

PointRecordReader::PointRecordReader(InputFile file) : lines_(std::move(file), kMaxLineBytes) {}

std::string PointRecordReader::where() const { return StrCat(lines_.name(), ":", line_number_); }

absl::StatusOr<std::optional<PointRecord>> PointRecordReader::Next() {
  while (true) {
    VETTORE_ASSIGN_OR_RETURN(const std::optional<Line> line, lines_.Next());
    if (!line) return std::nullopt;
    line_number_ = line->number;
    if (IsBlank(line->text)) continue;
    absl::StatusOr<PointRecord> point = ParsePointRecord(line->text);
    if (!point.ok()) return Annotate(point.status(), where());
    return *std::move(point);
  }
}

}  // namespace vettore
