// The properties come from utf8proc; ASCII takes a short way.
#include "documents/unicode.h"

#include <utf8proc.h>

namespace vettore {
namespace {

constexpr int32_t kReplacement = 0xFFFD;

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// Scripts written without spaces between words: South-East Asian, kana, Han.
bool IsUnspacedScript(int32_t c) {
  return (c >= 0x0E00 && c <= 0x0EFF) || (c >= 0x1000 && c <= 0x109F) ||
         (c >= 0x1780 && c <= 0x17FF) || (c >= 0x2E80 && c <= 0x9FFF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFF66 && c <= 0xFF9F) ||
         (c >= 0x20000 && c <= 0x3FFFF);
}

}  // namespace

CodePoint CodePointAt(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return {lead, 1};
  utf8proc_int32_t value = 0;
  const utf8proc_ssize_t bytes =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                       static_cast<utf8proc_ssize_t>(text.size() - at), &value);
  if (bytes <= 0) return {kReplacement, 1};
  return {value, static_cast<uint32_t>(bytes)};
}

CodePoint CodePointBefore(std::string_view text, size_t at) {
  return CodePointAt(text, CodePointFloor(text, at - 1));
}

size_t CodePointFloor(std::string_view text, size_t at) {
  if (at >= text.size()) return text.size();
  // At most three continuation bytes: more are no UTF-8, and each is a border of its own.
  for (size_t back = 0; back <= 3 && back <= at; ++back) {
    if (!IsContinuation(text[at - back])) return at - back;
  }
  return at;
}

bool IsWhiteSpace(int32_t c) {
  if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
  if (c == 0x85 || c == 0xA0) return true;
  if (c < 0x1680) return false;
  return c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

bool IsLowerCase(int32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z';
  return utf8proc_category(c) == UTF8PROC_CATEGORY_LL;
}

bool IsUpperCase(int32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z';
  return utf8proc_category(c) == UTF8PROC_CATEGORY_LU;
}

bool IsDigit(int32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9';
  return utf8proc_category(c) == UTF8PROC_CATEGORY_ND;
}

bool IsWordCharacter(int32_t c) {
  if (c < 0x80) return IsLowerCase(c) || IsUpperCase(c) || IsDigit(c);
  if (IsUnspacedScript(c)) return false;
  const utf8proc_category_t category = utf8proc_category(c);
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_ME) ||
         category == UTF8PROC_CATEGORY_ND;
}

bool IsClosingOrQuote(int32_t c) {
  if (c < 0x80) return c == ')' || c == ']' || c == '}' || c == '"' || c == '\'';
  const utf8proc_category_t category = utf8proc_category(c);
  return category == UTF8PROC_CATEGORY_PE || category == UTF8PROC_CATEGORY_PF ||
         category == UTF8PROC_CATEGORY_PI;
}

size_t SkipWhiteSpace(std::string_view text, size_t at) {
  while (at < text.size()) {
    const CodePoint c = CodePointAt(text, at);
    if (!IsWhiteSpace(c.value)) break;
    at += c.bytes;
  }
  return at;
}

std::string_view TrimWhiteSpace(std::string_view text) {
  text.remove_prefix(SkipWhiteSpace(text, 0));
  while (!text.empty()) {
    const CodePoint c = CodePointBefore(text, text.size());
    if (!IsWhiteSpace(c.value)) break;
    text.remove_suffix(c.bytes);
  }
  return text;
}

}  // namespace vettore
