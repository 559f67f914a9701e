#include "engine/vector_names.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "base/strings.h"

namespace vettore {

absl::StatusOr<size_t> FindVectorOrdinal(const CollectionConfig& config, std::string_view name) {
  for (size_t i = 0; i < config.vectors.size(); ++i) {
    if (config.vectors[i].name == name) return i;
  }
  const std::string known =
      absl::StrJoin(config.vectors, ", ", [](std::string* out, const VectorConfig& vector) {
        StrAppend(out, vector.name.empty() ? "'' (the default)" : "'" + vector.name + "'");
      });
  return absl::InvalidArgumentError(
      StrCat("vector '", absl::CHexEscape(AbslView(name.substr(0, 100))), "' does not exist; ",
             known.empty() ? "the collection has no vectors" : "the collection has " + known));
}

}  // namespace vettore
