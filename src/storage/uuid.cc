#include "storage/uuid.h"

#include <algorithm>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "base/strings.h"

namespace vettore {

Uuid Uuid::Random() {
  absl::BitGen random;
  Uuid uuid;
  for (uint8_t& byte : uuid.bytes) byte = absl::Uniform<uint8_t>(random);
  uuid.bytes[6] = static_cast<uint8_t>((uuid.bytes[6] & 0x0F) | 0x40);  // version 4
  uuid.bytes[8] = static_cast<uint8_t>((uuid.bytes[8] & 0x3F) | 0x80);  // RFC 4122 variant
  return uuid;
}

absl::StatusOr<Uuid> Uuid::Parse(std::string_view text) {
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text[i] != '-' : !absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) {
      return absl::DataLossError(StrCat("'", absl::CHexEscape(AbslView(text)), "' is not a uuid"));
    }
    if (!is_dash) digits += text[i];
  }
  if (digits.size() != 32) {
    return absl::DataLossError(StrCat("'", absl::CHexEscape(AbslView(text)), "' is not a uuid"));
  }
  const std::string bytes = absl::HexStringToBytes(digits);
  Uuid uuid;
  std::copy(bytes.begin(), bytes.end(), uuid.bytes.begin());
  return uuid;
}

std::string Uuid::ToString() const {
  const std::string hex =
      absl::BytesToHexString({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-",
                hex.substr(16, 4), "-", hex.substr(20));
}

}  // namespace vettore
