// The random identity of a data directory.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace vettore {

// RFC 4122 version 4. Immutable.
struct Uuid {
  std::array<uint8_t, 16> bytes{};

  static Uuid Random();
  // The form of ToString. DataLoss for anything else: it is only ever read back from disk.
  static absl::StatusOr<Uuid> Parse(std::string_view text);
  // 8-4-4-4-12 lower-case hexadecimal digits.
  std::string ToString() const;

  friend bool operator==(const Uuid&, const Uuid&) = default;
};

}  // namespace vettore
