// Points as JSON Lines, what `vettore export` writes and `vettore import` reads:
//
//   {"id": 7, "vector": [0.1, 0.2], "payload": {"year": 1963}}
//   {"id": "b", "vectors": {"": [0.1, 0.2], "title": [0.3]}, "payload": {}}
//
// "vector" is the default vector; "payload" may be absent; the id is an integer or a text. Other
// keys are refused.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/format/line_reader.h"
#include "types/json.h"
#include "types/point_id.h"

namespace vettore {

struct PointRecord {
  PointId id = PointId(0);
  std::vector<std::pair<std::string, std::vector<float>>> vectors;  // name and values
  Json payload = Json::object();
};

absl::StatusOr<PointRecord> ParsePointRecord(std::string_view text);

// One line, without its end. Floats stand in the shortest form that reads back as the same float,
// integers exactly.
std::string FormatPointRecord(const PointRecord& record);

// "[0.1,0.25]", in that form.
std::string FormatFloats(std::span<const float> values);

// The points of a file, line by line; empty lines are passed over. Externally synchronised.
class PointRecordReader {
 public:
  explicit PointRecordReader(InputFile file);

  // nullopt at the end. InvalidArgument, with the line, for a record that is wrong: the next call
  // goes on behind it.
  absl::StatusOr<std::optional<PointRecord>> Next();

  // Of the record that Next returned last: "points.jsonl:12".
  std::string where() const;
  uint64_t consumed_bytes() const { return lines_.consumed(); }
  std::optional<uint64_t> size() const { return lines_.size(); }

 private:
  LineReader lines_;
  uint64_t line_number_ = 0;
};

}  // namespace vettore
