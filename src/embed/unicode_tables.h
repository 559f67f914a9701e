// The character classes of the reference WordPiece tokeniser, which match no single version of
// Unicode.
#pragma once

#include <cstdint>
#include <span>

namespace vettore {

// Both ends included.
struct CodePointRange {
  uint32_t first, last;
};
// Every `stride`-th code point from `first` to `last` has its lower case `delta` away.
struct LowercaseRun {
  uint32_t first, last, stride;
  int32_t delta;
};
struct CombiningRange {
  uint32_t first, last;
  uint8_t combining_class;
};

// What text cleaning takes out: U+0000, U+FFFD, controls, formats, private use.
std::span<const CodePointRange> RemovedByCleaning();
// What text cleaning turns into a space.
std::span<const CodePointRange> CleanedToSpace();
// Where words end, besides what cleaning has turned into spaces.
std::span<const CodePointRange> Whitespace();
std::span<const CodePointRange> Punctuation();
std::span<const CodePointRange> CjkIdeographs();
// General category Mn of the code points that have no decomposition.
std::span<const CodePointRange> NonspacingMarks();
// Lower cases of one code point. U+0130 alone has one of two: U+0069 U+0307.
std::span<const LowercaseRun> LowercaseRuns();
// Canonical combining classes other than 0, of the code points that have no decomposition.
std::span<const CombiningRange> CombiningClasses();
// Full canonical decompositions but Hangul's: code point, length, that many code points; and so on.
std::span<const uint32_t> Decompositions();

}  // namespace vettore
