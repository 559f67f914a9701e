#include "embed/bert_normalizer.h"

#include <map>
#include <optional>
#include <unordered_map>

#include "base/status.h"
#include "embed/unicode_tables.h"

namespace vettore {
namespace {

constexpr uint32_t kCodePoints = 0x110000;
constexpr uint32_t kCapitalIWithDot = 0x130;  // The one code point whose lower case is two.

// One bit of `flags` for each class.
enum : uint8_t {
  kRemovedBit = 1,
  kSpaceBit = 2,
  kWhitespaceBit = 4,
  kPunctuationBit = 8,
  kCjkBit = 16,
  kMarkBit = 32,
  kMappedBit = 64,  // Has a lower case, a decomposition or a combining class.
};

void Set(std::span<const CodePointRange> ranges, uint8_t bit, std::vector<uint8_t>& flags) {
  for (const CodePointRange& range : ranges) {
    for (uint32_t c = range.first; c <= range.last; ++c) flags[c] |= bit;
  }
}

}  // namespace

// Fills the table, one code point after the other.
struct BertNormalizer::Builder {
  explicit Builder(const BertNormalizerOptions& asked) : options(asked), flags(kCodePoints) {
    Set(RemovedByCleaning(), kRemovedBit, flags);
    Set(CleanedToSpace(), kSpaceBit, flags);
    Set(Whitespace(), kWhitespaceBit, flags);
    Set(Punctuation(), kPunctuationBit, flags);
    Set(CjkIdeographs(), kCjkBit, flags);
    Set(NonspacingMarks(), kMarkBit, flags);
    for (const LowercaseRun& run : LowercaseRuns()) {
      for (uint32_t c = run.first; c <= run.last; c += run.stride) {
        lowercase[c] = c + static_cast<uint32_t>(run.delta);
        flags[c] |= kMappedBit;
      }
    }
    for (const CombiningRange& range : CombiningClasses()) {
      for (uint32_t c = range.first; c <= range.last; ++c) {
        combining[c] = range.combining_class;
        flags[c] |= kMappedBit;
      }
    }
    flags[kCapitalIWithDot] |= kMappedBit;
    const std::span<const uint32_t> flat = Decompositions();
    for (size_t i = 0; i < flat.size(); i += 2 + flat[i + 1]) {
      decompositions[flat[i]] = flat.subspan(i + 2, flat[i + 1]);
      flags[flat[i]] |= kMappedBit;
    }
  }

  uint8_t CombiningClass(uint32_t c) const {
    const auto found = combining.find(c);
    return found == combining.end() ? 0 : found->second;
  }

  void Append(uint32_t c, std::vector<Step>& steps) const {
    const CharClass char_class = (flags[c] & kWhitespaceBit) != 0    ? CharClass::kSpace
                                 : (flags[c] & kPunctuationBit) != 0 ? CharClass::kPunctuation
                                                                     : CharClass::kWord;
    // Only NFD orders marks.
    steps.push_back({c, char_class, options.strip_accents ? CombiningClass(c) : uint8_t{0}});
  }

  void AppendLowercase(uint32_t c, std::vector<Step>& steps) const {
    if (!options.lowercase) return Append(c, steps);
    if (c == kCapitalIWithDot) {
      Append('i', steps);
      return Append(0x307, steps);
    }
    const auto found = lowercase.find(c);
    Append(found == lowercase.end() ? c : found->second, steps);
  }

  // What `c` becomes after NFD, the removal of marks and lower case.
  std::vector<Step> Steps(uint32_t c) const {
    std::vector<Step> steps;
    if (!options.strip_accents) {
      AppendLowercase(c, steps);
      return steps;
    }
    const auto found = decompositions.find(c);
    const std::span<const uint32_t> parts =
        found == decompositions.end() ? std::span<const uint32_t>(&c, 1) : found->second;
    for (uint32_t part : parts) {
      if ((flags[part] & kMarkBit) == 0) AppendLowercase(part, steps);
    }
    return steps;
  }

  bool IsStarter(uint32_t c) const {
    const auto found = decompositions.find(c);
    return CombiningClass(found == decompositions.end() ? c : found->second[0]) == 0;
  }

  uint32_t Entry(uint32_t c, std::vector<std::vector<Step>>& sequences) const {
    const auto entry = [](Kind kind, uint32_t value) { return kind << 21 | value; };
    if (flags[c] == 0 && c >= 0x80 && (c < 0xAC00 || c > 0xD7A3)) return entry(kSelf, 0);
    if (options.clean_text && (flags[c] & kRemovedBit) != 0) return entry(kRemoved, 0);
    if (options.clean_text && (flags[c] & kSpaceBit) != 0) return entry(kSpace, ' ');
    if (options.strip_accents && c >= 0xAC00 && c <= 0xD7A3) return entry(kHangul, 0);
    const bool isolated = options.handle_chinese_chars && (flags[c] & kCjkBit) != 0;
    std::vector<Step> steps = Steps(c);
    if (steps.empty()) return entry(IsStarter(c) ? kDroppedStarter : kDroppedMark, 0);
    const Step& first = steps[0];
    if (steps.size() == 1 && first.combining_class == 0) {
      if (first.char_class == CharClass::kSpace) return entry(kSpace, ' ');
      if (first.char_class == CharClass::kPunctuation && !isolated) {
        return entry(kPunctuationChar, first.code_point);
      }
      if (first.char_class == CharClass::kWord) {
        if (first.code_point == c && c >= 0x80) return entry(isolated ? kIsolatedSelf : kSelf, 0);
        return entry(isolated ? kIsolated : kWordChar, first.code_point);
      }
    }
    if (isolated) {
      steps.insert(steps.begin(), {' ', CharClass::kSpace, 0});
      steps.push_back({' ', CharClass::kSpace, 0});
    }
    sequences.push_back(std::move(steps));
    return entry(kSequence, static_cast<uint32_t>(sequences.size() - 1));
  }

  const BertNormalizerOptions options;
  std::vector<uint8_t> flags;
  std::unordered_map<uint32_t, uint32_t> lowercase;
  std::unordered_map<uint32_t, uint8_t> combining;
  std::unordered_map<uint32_t, std::span<const uint32_t>> decompositions;
};

BertNormalizer::BertNormalizer(const BertNormalizerOptions& options) {
  const Builder builder(options);
  // Most blocks of 256 code points are like another one.
  std::map<std::vector<uint32_t>, uint32_t> known;
  std::vector<uint32_t> block(256);
  for (uint32_t start = 0; start < kCodePoints; start += 256) {
    for (uint32_t i = 0; i < 256; ++i) block[i] = builder.Entry(start + i, sequences_);
    const auto [at, is_new] = known.try_emplace(block, static_cast<uint32_t>(entries_.size()));
    if (is_new) entries_.insert(entries_.end(), block.begin(), block.end());
    block_starts_[start >> 8] = at->second;
  }
  for (uint32_t c = 0; c < ascii_.size(); ++c) {
    ascii_[c] = EntryOf(c);
    const uint32_t kind = ascii_[c] >> 21;
    VETTORE_CHECK(kind == kRemoved || kind == kSpace || kind == kWordChar ||
                  kind == kPunctuationChar);
  }
}

}  // namespace vettore
