// Code points of UTF-8 text, and the few of their properties that borders are found by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vettore {

struct CodePoint {
  int32_t value = 0;
  uint32_t bytes = 0;
};

// The code point that begins at byte `at` < text.size(). A byte that begins none is U+FFFD of one
// byte.
CodePoint CodePointAt(std::string_view text, size_t at);
// The code point that ends before byte `at`, 0 < at <= text.size().
CodePoint CodePointBefore(std::string_view text, size_t at);
// The last code point border at or before byte `at` <= text.size().
size_t CodePointFloor(std::string_view text, size_t at);

// Unicode's White_Space.
bool IsWhiteSpace(int32_t code_point);
bool IsLowerCase(int32_t code_point);
bool IsUpperCase(int32_t code_point);
bool IsDigit(int32_t code_point);
// A letter of a script that puts space between words, a digit, or a mark upon one; Chinese,
// Japanese, Thai and their like have words without visible borders and are not among them.
bool IsWordCharacter(int32_t code_point);
// Closes a bracket or is a quotation mark, curly or angular.
bool IsClosingOrQuote(int32_t code_point);

// The first byte at or after `at` that is not white space, or text.size().
size_t SkipWhiteSpace(std::string_view text, size_t at);
// `text` without white space at either end.
std::string_view TrimWhiteSpace(std::string_view text);

}  // namespace vettore
