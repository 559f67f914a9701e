// The ids that go with a file of vectors: .npy of integers, or one id a line.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "types/point_id.h"

namespace vettore {

// Externally synchronised.
class IdList {
 public:
  virtual ~IdList() = default;
  // The next id; nullopt at the end. InvalidArgument names the file and the place.
  virtual absl::StatusOr<std::optional<PointId>> Next() = 0;
};

// `path`: .npy of shape (count), of <i4, <u4, <i8 or <u8, none negative; any other file is text,
// where a line of decimal digits is a number and any other line is a text id.
absl::StatusOr<std::unique_ptr<IdList>> OpenIdList(const std::string& path);

// A line of decimal digits without leading zeros that fits 64 bits is a number, any other text a
// text id.
absl::StatusOr<PointId> ParseIdText(std::string_view text);

}  // namespace vettore
