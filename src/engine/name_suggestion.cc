#include "engine/name_suggestion.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/strings.h"

namespace vettore {
namespace {

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);  // Of the prefix of `a` before `i`, to each prefix of `b`.
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::string> SuggestName(std::string_view name, std::span<const std::string> known) {
  size_t fewest = std::max<size_t>(1, name.size() / 3);
  std::optional<std::string> suggestion;
  for (const std::string& candidate : known) {
    const size_t edits = EditDistance(name, candidate);
    if (edits < fewest || (edits == fewest && !suggestion)) {
      fewest = edits;
      suggestion = candidate;
    }
  }
  return suggestion;
}

absl::Status UnknownName(std::string_view what, std::string_view name,
                         std::span<const std::string> known) {
  std::string message = StrCat(what, " '", name, "' does not exist");
  if (const auto suggestion = SuggestName(name, known)) {
    StrAppend(&message, "; did you mean '", *suggestion, "'?");
  }
  return absl::NotFoundError(message);
}

}  // namespace vettore
