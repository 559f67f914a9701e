#include "base/utf8.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace vettore {
namespace {

// RFC 3629's encoding, without its ban on surrogates and on what is past U+10FFFF.
std::string Encode(uint32_t code) {
  const auto tail = [code](int shift) {
    return static_cast<char>(0x80 | ((code >> shift) & 0x3F));
  };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xC0 | code >> 6), tail(0)};
  if (code < 0x10000) return {static_cast<char>(0xE0 | code >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | code >> 18), tail(12), tail(6), tail(0)};
}

TEST(Utf8, ExactlyTheScalarValuesAreValid) {
  for (uint32_t code = 0; code < 0x120000; ++code) {
    const bool is_scalar = code < 0xD800 || (code > 0xDFFF && code <= 0x10FFFF);
    ASSERT_EQ(IsValidUtf8(Encode(code)), is_scalar) << std::hex << code;
  }
}

TEST(Utf8, TruncatedSequenceIsFoundAtItsLeadByte) {
  for (const uint32_t code : {0x80u, 0x7FFu, 0x800u, 0xFFFFu, 0x10000u, 0x10FFFFu}) {
    const std::string whole = Encode(code);
    for (size_t kept = 1; kept < whole.size(); ++kept) {
      EXPECT_EQ(FindInvalidUtf8("ab" + whole.substr(0, kept)), 2u);
      EXPECT_EQ(FindInvalidUtf8(whole.substr(0, kept) + "abcdefghijkl"), 0u);
    }
  }
}

TEST(Utf8, OverlongFormsAndStrayBytesAreInvalid) {
  for (const char* bytes :
       {"\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xF0\x80\x80\x80",
        "\xF0\x8F\xBF\xBF", "\x80", "\xBF", "\xFE", "\xFF", "\xF8\x88\x80\x80\x80"}) {
    EXPECT_EQ(FindInvalidUtf8(bytes), 0u) << bytes;
  }
}

TEST(Utf8, AnOffsetIsExactWhereverTheFaultStands) {
  for (size_t at = 0; at < 40; ++at) {
    std::string text(40, 'x');
    text[at] = '\xFF';
    EXPECT_EQ(FindInvalidUtf8(text), at);
  }
  EXPECT_EQ(FindInvalidUtf8(""), std::nullopt);
  EXPECT_TRUE(IsValidUtf8(std::string_view("\0", 1)));
}

}  // namespace
}  // namespace vettore
