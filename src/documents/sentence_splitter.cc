// Looks at each terminator with a bounded view back and one run of white space ahead.
#include "documents/sentence_splitter.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "base/strings.h"
#include "documents/unicode.h"

namespace vettore {
namespace {

enum class Terminator {
  kNone,
  kStop,  // A full stop or an ellipsis: also stands within sentences.
  kMark,  // An exclamation or question mark.
  kWide,  // A mark that needs no white space after it.
};

// After these a full stop is never the end: a name or a word follows. Sorted.
constexpr std::array<std::string_view, 44> kBeforeName = {
    "adm",    "al",   "approx", "avv",  "bzw", "ca",  "capt", "cf",   "col",  "cpt", "dept",
    "dott",   "dr",   "dra",    "drs",  "gen", "gov", "hon",  "hr",   "ing",  "lt",  "maj",
    "messrs", "mlle", "mme",    "mr",   "mrs", "ms",  "mt",   "pres", "prof", "rep", "rev",
    "sen",    "sgt",  "sig",    "sigg", "sr",  "sra", "st",   "univ", "vgl",  "viz", "vs"};
// After these it is not the end when a number follows. Sorted.
constexpr std::array<std::string_view, 38> kBeforeNumber = {
    "abb", "abs", "app",  "apr", "art", "aug",  "bd",  "ch",  "chap", "dec",  "ed",  "eq", "eqs",
    "feb", "fig", "figs", "jan", "jul", "jun",  "kap", "mar", "no",   "nos",  "nov", "nr", "oct",
    "p",   "pag", "par",  "pp",  "ref", "refs", "s",   "sec", "sep",  "sept", "tab", "vol"};

static_assert(std::is_sorted(kBeforeName.begin(), kBeforeName.end()));
static_assert(std::is_sorted(kBeforeNumber.begin(), kBeforeNumber.end()));

Terminator TerminatorOf(int32_t c) {
  switch (c) {
    case '.':
    case 0x2024:  // One dot leader
    case 0x2026:  // Ellipsis
    case 0xFE52:  // Small full stop
      return Terminator::kStop;
    case '!':
    case '?':
    case 0x203C:
    case 0x203D:
    case 0x2047:
    case 0x2048:
    case 0x2049:
      return Terminator::kMark;
    case 0x0589:  // Armenian
    case 0x061F:  // Arabic question mark
    case 0x06D4:  // Urdu
    case 0x0700:  // Syriac
    case 0x0701:
    case 0x0702:
    case 0x0964:  // Danda
    case 0x0965:
    case 0x0F0D:  // Tibetan
    case 0x104A:  // Burmese
    case 0x104B:
    case 0x1362:  // Ethiopic
    case 0x1367:
    case 0x17D4:  // Khmer
    case 0x17D5:
    case 0x1803:  // Mongolian
    case 0x1809:
    case 0x3002:  // Ideographic
    case 0xFF01:
    case 0xFF0E:
    case 0xFF1F:
    case 0xFF61:
      return Terminator::kWide;
    default:
      return Terminator::kNone;
  }
}

bool IsLineBreak(int32_t c) {
  return c == '\n' || c == '\r' || c == '\v' || c == '\f' || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

// Whether the white space between two bytes holds an empty line or a page or paragraph separator.
bool HoldsBlankLine(std::string_view space) {
  int breaks = 0;
  for (size_t at = 0; at < space.size();) {
    const CodePoint c = CodePointAt(space, at);
    if (c.value == '\f' || c.value == 0x2029) return true;
    const bool is_crlf = c.value == '\r' && at + 1 < space.size() && space[at + 1] == '\n';
    if (IsLineBreak(c.value) && !is_crlf && ++breaks == 2) return true;
    at += c.bytes;
  }
  return false;
}

// Whether a line that begins here is a Markdown heading or the item of a list.
bool BeginsBlock(std::string_view text, size_t at) {
  size_t after = at;
  while (after < text.size() && after - at < 6 && text[after] == '#') ++after;
  if (after == at) {
    while (after < text.size() && after - at < 3 && absl::ascii_isdigit(text[after])) ++after;
    if (after >= text.size()) return false;
    if (after > at) {
      if (text[after] != '.' && text[after] != ')') return false;
      ++after;
    } else {
      const CodePoint c = CodePointAt(text, at);
      if (c.value != '-' && c.value != '*' && c.value != '+' && c.value != 0x2022) return false;
      after += c.bytes;
    }
  }
  return after < text.size() && (text[after] == ' ' || text[after] == '\t');
}

// A footnote mark "[12]" that begins at `at`: the byte after it, else `at`.
size_t SkipFootnote(std::string_view text, size_t at) {
  if (text[at] != '[') return at;
  size_t after = at + 1;
  while (after < text.size() && after - at <= 4 && absl::ascii_isdigit(text[after])) ++after;
  return after > at + 1 && after < text.size() && text[after] == ']' ? after + 1 : at;
}

// A run of terminators with the quotes, brackets, emphasis and footnotes that close upon it.
struct Ending {
  size_t begin = 0;
  size_t end = 0;
  Terminator kind = Terminator::kNone;
  bool has_closing = false;
};

Ending ReadEnding(std::string_view text, size_t begin, Terminator kind) {
  Ending ending{.begin = begin, .end = begin, .kind = kind, .has_closing = false};
  while (ending.end < text.size()) {
    const CodePoint c = CodePointAt(text, ending.end);
    if (const Terminator next = TerminatorOf(c.value); next != Terminator::kNone) {
      ending.kind = std::max(ending.kind, next);
      ending.end += c.bytes;
      continue;
    }
    // In Chinese an opening quote may follow the full stop at once.
    const bool is_opening =
        ending.kind == Terminator::kWide && (c.value == 0x201C || c.value == 0x2018);
    const bool is_emphasis = c.value == '*' || c.value == '_' || c.value == '`';
    if ((IsClosingOrQuote(c.value) && !is_opening) || is_emphasis) {
      ending.end += c.bytes;
    } else if (const size_t after = SkipFootnote(text, ending.end); after > ending.end) {
      ending.end = after;
    } else {
      break;
    }
    ending.has_closing = true;
  }
  return ending;
}

// Whether the lone full stop at `stop` belongs to the word before it. `begin` is where the
// sentence's first word is, `next` the first code point after the white space that follows.
bool IsAbbreviation(std::string_view text, size_t begin, size_t stop, int32_t next) {
  constexpr size_t kLongest = 24;  // Bytes: no abbreviation is longer.
  size_t word = stop;
  size_t letters = 0;
  while (word > begin && stop - word < kLongest) {
    const CodePoint c = CodePointBefore(text, word);
    if (!IsWordCharacter(c.value)) break;
    word -= c.bytes;
    ++letters;
  }
  if (letters == 0) return false;
  const int32_t first = CodePointAt(text, word).value;
  const char before = word > begin ? text[word - 1] : '\n';
  if (letters == 1 && (IsUpperCase(first) || (IsLowerCase(first) && before == '.'))) return true;
  const std::string lower = absl::AsciiStrToLower(AbslView(text.substr(word, stop - word)));
  if (letters <= 3 && before == '\n' &&
      std::all_of(lower.begin(), lower.end(), absl::ascii_isdigit)) {
    return true;
  }
  if (IsDigit(next) && std::binary_search(kBeforeNumber.begin(), kBeforeNumber.end(), lower))
    return true;
  return std::binary_search(kBeforeName.begin(), kBeforeName.end(), lower);
}

// Whether a sentence that began at `begin` ends with `ending`.
bool EndsSentence(std::string_view text, size_t begin, const Ending& ending) {
  if (ending.end == text.size()) return true;
  const CodePoint after = CodePointAt(text, ending.end);
  if (ending.kind == Terminator::kWide)
    return !IsDigit(after.value);  // The full-width point of a decimal
  if (!IsWhiteSpace(after.value)) return false;
  const size_t next_at = SkipWhiteSpace(text, ending.end);
  if (next_at == text.size() || HoldsBlankLine(text.substr(ending.end, next_at - ending.end)))
    return true;

  const int32_t next = CodePointAt(text, next_at).value;
  if (next == ',' || next == ';' || next == ':') return false;
  // Text that was split into tokens and lower-cased has space on both sides of its full stops.
  if (ending.begin > begin && IsWhiteSpace(CodePointBefore(text, ending.begin).value)) return true;
  if (IsLowerCase(next)) return ending.kind == Terminator::kMark && !ending.has_closing;
  const bool is_lone_stop = text[ending.begin] == '.' && ending.end == ending.begin + 1;
  return !is_lone_stop || !IsAbbreviation(text, begin, ending.begin, next);
}

}  // namespace

size_t NextSentence(std::string_view text, size_t begin) {
  const size_t first = SkipWhiteSpace(text, begin);
  for (size_t at = first; at < text.size();) {
    const CodePoint c = CodePointAt(text, at);
    if (IsLineBreak(c.value)) {
      const size_t next = SkipWhiteSpace(text, at);
      if (HoldsBlankLine(text.substr(at, next - at)) || BeginsBlock(text, next)) return next;
      at = next;
      continue;
    }
    const Terminator kind = TerminatorOf(c.value);
    if (kind == Terminator::kNone) {
      at += c.bytes;
      continue;
    }
    const Ending ending = ReadEnding(text, at, kind);
    if (EndsSentence(text, first, ending)) return SkipWhiteSpace(text, ending.end);
    at = ending.end;
  }
  return text.size();
}

}  // namespace vettore
