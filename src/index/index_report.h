// What was found when an index was looked through: its measures, and its faults.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"

namespace vettore {

// The names of all faults.
namespace faults {

// Of a checkpoint's file.
inline constexpr std::string_view kFile = "files that the records contradict";
inline constexpr std::string_view kUnreadable = "parts that cannot be read";
// Of rows and vectors.
inline constexpr std::string_view kSlotTwice = "slots with two rows";
inline constexpr std::string_view kVectorDamaged = "vectors that are not what was written";
// Of a graph.
inline constexpr std::string_view kLinkOutside = "links to rows that the graph does not hold";
inline constexpr std::string_view kLinkAbove = "links to rows that do not have the level";
inline constexpr std::string_view kLinkRepeated = "links that are there twice";
inline constexpr std::string_view kLinkToItself = "links of a row to itself";
inline constexpr std::string_view kLinkPastEnd = "links behind the end of a list";
inline constexpr std::string_view kNoLinks = "rows without a link";
inline constexpr std::string_view kLevelsMissing = "rows that lack lists of their levels";
inline constexpr std::string_view kListShared = "rows whose upper lists are another row's too";
inline constexpr std::string_view kEntryPoint = "entry points that cannot be one";
inline constexpr std::string_view kUnreachable = "living rows that no way leads to from the entry";
// Of lists, and of what FAISS built.
inline constexpr std::string_view kRowOutside = "listed rows that the index does not have";
inline constexpr std::string_view kRowTwice = "rows that are listed twice";
inline constexpr std::string_view kBias = "listed rows whose code has no finite bias";
inline constexpr std::string_view kPadding = "places past the end of a list that are not empty";
inline constexpr std::string_view kCentroid = "centroids that are not finite";
inline constexpr std::string_view kNoCodes = "lists that lack the codes of their encoding";
inline constexpr std::string_view kCountDiffers = "numberings that do not fit what FAISS holds";

}  // namespace faults

struct IndexFinding {
  std::string_view fault;  // Of `faults`.
  uint64_t count = 0;      // How many there are.
  std::string first = {};  // Which was met first: "row 7, level 0: row 99".
};

struct IndexMeasure {
  std::string_view name;  // "links", in lower case with underscores: static text.
  uint64_t value = 0;
};

// Externally synchronised.
class IndexReport {
 public:
  void Add(std::string_view measure, uint64_t value) { measures_.push_back({measure, value}); }
  // where: asked for words about the first of a fault only.
  void AddFinding(std::string_view fault, absl::FunctionRef<std::string()> where);

  // Those of `other` behind its own.
  void AddAll(const IndexReport& other);

  bool is_sound() const { return findings_.empty(); }
  const std::vector<IndexMeasure>& measures() const { return measures_; }
  const std::vector<IndexFinding>& findings() const { return findings_; }
  // 0 when the index has none of the fault, or no such measure.
  uint64_t CountOf(std::string_view fault) const;
  uint64_t Measure(std::string_view name) const;

 private:
  std::vector<IndexMeasure> measures_;
  std::vector<IndexFinding> findings_;
};

}  // namespace vettore
