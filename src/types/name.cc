#include "types/name.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "base/strings.h"
#include "types/limits.h"

namespace vettore {

absl::StatusOr<Name> Name::Parse(std::string_view text, std::string_view what) {
  const auto allowed = [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-';
  };
  if (text.empty() || text.size() > limits::kNameBytes) {
    return absl::InvalidArgumentError(
        StrCat(what, ": a name has 1 to ", limits::kNameBytes, " bytes, got ", text.size()));
  }
  if (text.front() == '.' || text.front() == '-' ||
      !std::all_of(text.begin(), text.end(), allowed)) {
    return absl::InvalidArgumentError(
        StrCat(what,
               ": a name consists of letters, digits, '_', '.' and '-' and starts with a "
               "letter, digit or '_', got '",
               absl::CHexEscape(AbslView(text)), "'"));
  }
  return Name(text);
}

}  // namespace vettore
