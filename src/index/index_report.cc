#include "index/index_report.h"

#include <algorithm>

namespace vettore {

void IndexReport::AddFinding(std::string_view fault, absl::FunctionRef<std::string()> where) {
  for (IndexFinding& finding : findings_) {
    if (finding.fault != fault) continue;
    ++finding.count;
    return;
  }
  findings_.push_back({.fault = fault, .count = 1, .first = where()});
}

void IndexReport::AddAll(const IndexReport& other) {
  measures_.insert(measures_.end(), other.measures_.begin(), other.measures_.end());
  findings_.insert(findings_.end(), other.findings_.begin(), other.findings_.end());
}

uint64_t IndexReport::CountOf(std::string_view fault) const {
  const auto found =
      std::find_if(findings_.begin(), findings_.end(),
                   [&](const IndexFinding& finding) { return finding.fault == fault; });
  return found == findings_.end() ? 0 : found->count;
}

uint64_t IndexReport::Measure(std::string_view name) const {
  const auto found =
      std::find_if(measures_.begin(), measures_.end(),
                   [&](const IndexMeasure& measure) { return measure.name == name; });
  return found == measures_.end() ? 0 : found->value;
}

}  // namespace vettore
