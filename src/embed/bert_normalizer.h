// BERT's text normalisation, as a table that says for each code point what becomes of it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "embed/utf8.h"

namespace vettore {

struct BertNormalizerOptions {
  bool clean_text = true;
  bool handle_chinese_chars = true;
  bool strip_accents = true;
  bool lowercase = true;
};

enum class CharClass : uint8_t { kWord, kSpace, kPunctuation };

// A character of the normalised text.
struct NormalizedChar {
  uint32_t code_point;
  CharClass char_class;
  uint32_t begin, end;  // Byte range of the text that it comes from.
};

// Cleaning, spaces around CJK, NFD without non-spacing marks, lower case: the order of the
// reference. A code point's result does not depend on its neighbours, save for the canonical order
// of marks that survive. Immutable.
class BertNormalizer {
 public:
  explicit BertNormalizer(const BertNormalizerOptions& options);

  // Calls sink.Add(NormalizedChar) for each character of the normalised text, and sink.AddAscii(c,
  // char_class, at) instead for one that a single ASCII byte at `at` turned into. `base` is added
  // to all offsets. Stops when sink.full().
  template <typename Sink>
  void Normalize(std::string_view text, uint32_t base, Sink& sink) const;

 private:
  // What becomes of a code point, in bits 21 and up; the bits below hold a value.
  enum Kind : uint32_t {
    kSelf,             // Itself, of class kWord.
    kIsolatedSelf,     // Itself between two spaces.
    kWordChar,         // The value, of class kWord.
    kSpace,            // A space.
    kPunctuationChar,  // The value, of class kPunctuation.
    kIsolated,         // The value between two spaces.
    kRemoved,          // Nothing, before NFD sees it.
    kDroppedMark,      // Nothing, after NFD; marks around it belong to one run.
    kDroppedStarter,   // Nothing, after NFD; a run of marks ends.
    kSequence,         // Several: the value is an offset in sequences_, where the length stands.
    kHangul,           // Two or three jamo, by arithmetic.
  };
  struct Step {
    uint32_t code_point;
    CharClass char_class;
    uint8_t combining_class;
  };
  struct PendingMark {
    NormalizedChar character;
    uint8_t combining_class;
  };
  struct Builder;

  uint32_t EntryOf(uint32_t code_point) const {
    return entries_[block_starts_[code_point >> 8] + (code_point & 0xFF)];
  }
  template <typename Sink>
  void AddCodePoint(uint32_t code_point, uint32_t begin, uint32_t end,
                    std::vector<PendingMark>& pending, Sink& sink) const;
  template <typename Sink>
  static void FlushMarks(std::vector<PendingMark>& pending, Sink& sink);

  std::array<uint32_t, 128> ascii_;
  std::array<uint32_t, 0x1100> block_starts_;  // Of each 256 code points, in entries_.
  std::vector<uint32_t> entries_;
  std::vector<std::vector<Step>> sequences_;
};

template <typename Sink>
void BertNormalizer::FlushMarks(std::vector<PendingMark>& pending, Sink& sink) {
  std::stable_sort(pending.begin(), pending.end(), [](const PendingMark& a, const PendingMark& b) {
    return a.combining_class < b.combining_class;
  });
  for (const PendingMark& mark : pending) sink.Add(mark.character);
  pending.clear();
}

template <typename Sink>
void BertNormalizer::AddCodePoint(uint32_t code_point, uint32_t begin, uint32_t end,
                                  std::vector<PendingMark>& pending, Sink& sink) const {
  const uint32_t entry = EntryOf(code_point);
  const uint32_t value = entry & 0x1FFFFF;
  const auto kind = static_cast<Kind>(entry >> 21);
  if (kind == kRemoved || kind == kDroppedMark) return;
  if (!pending.empty() && kind != kSequence) FlushMarks(pending, sink);
  const NormalizedChar space = {' ', CharClass::kSpace, begin, end};
  switch (kind) {
    case kSelf:
      return sink.Add({code_point, CharClass::kWord, begin, end});
    case kWordChar:
      return sink.Add({value, CharClass::kWord, begin, end});
    case kPunctuationChar:
      return sink.Add({value, CharClass::kPunctuation, begin, end});
    case kSpace:
      return sink.Add(space);
    case kIsolatedSelf:
    case kIsolated:
      sink.Add(space);
      sink.Add({kind == kIsolated ? value : code_point, CharClass::kWord, begin, end});
      return sink.Add(space);
    case kRemoved:
    case kDroppedMark:
    case kDroppedStarter:
      return;
    case kHangul: {
      // Unicode 15, section 3.12.
      const uint32_t syllable = code_point - 0xAC00;
      sink.Add({0x1100 + syllable / 588, CharClass::kWord, begin, end});
      sink.Add({0x1161 + syllable % 588 / 28, CharClass::kWord, begin, end});
      if (syllable % 28 != 0) {
        sink.Add({0x11A7 + syllable % 28, CharClass::kWord, begin, end});
      }
      return;
    }
    case kSequence:
      for (const Step& step : sequences_[value]) {
        const NormalizedChar character = {step.code_point, step.char_class, begin, end};
        if (step.combining_class != 0) {
          pending.push_back({character, step.combining_class});
        } else {
          if (!pending.empty()) FlushMarks(pending, sink);
          sink.Add(character);
        }
      }
  }
}

template <typename Sink>
void BertNormalizer::Normalize(std::string_view text, uint32_t base, Sink& sink) const {
  std::vector<PendingMark> pending;
  for (size_t at = 0; at < text.size() && !sink.full();) {
    const auto byte = static_cast<uint8_t>(text[at]);
    const auto offset = static_cast<uint32_t>(base + at);
    if (byte >= 0x80) {
      const DecodedCodePoint decoded = DecodeUtf8(text, at);
      AddCodePoint(decoded.code_point, offset, offset + decoded.size, pending, sink);
      at += decoded.size;
      continue;
    }
    ++at;
    const uint32_t entry = ascii_[byte];
    const auto kind = static_cast<Kind>(entry >> 21);
    if (kind == kRemoved) continue;
    if (!pending.empty()) FlushMarks(pending, sink);
    const auto char_class = kind == kWordChar ? CharClass::kWord
                            : kind == kSpace  ? CharClass::kSpace
                                              : CharClass::kPunctuation;
    sink.AddAscii(static_cast<char>(entry & 0x7F), char_class, offset);
  }
  if (!sink.full()) FlushMarks(pending, sink);
}

}  // namespace vettore
