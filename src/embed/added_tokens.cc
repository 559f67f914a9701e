#include "embed/added_tokens.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/strings.h"
#include "embed/unicode_tables.h"
#include "embed/utf8.h"

namespace vettore {
namespace {

bool IsWhitespace(uint32_t c) {
  for (const CodePointRange& range : Whitespace()) {
    if (c >= range.first && c <= range.last) return true;
  }
  return false;
}

// Where the white space that ends text[0, end) begins.
size_t WhitespaceBegin(std::string_view text, size_t end) {
  while (end > 0) {
    size_t at = end - 1;
    while (at > 0 && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80) --at;
    if (!IsWhitespace(DecodeUtf8(text, at).code_point)) break;
    end = at;
  }
  return end;
}

size_t WhitespaceEnd(std::string_view text, size_t begin) {
  while (begin < text.size()) {
    const DecodedCodePoint decoded = DecodeUtf8(text, begin);
    if (!IsWhitespace(decoded.code_point)) break;
    begin += decoded.size;
  }
  return begin;
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens) {
  for (AddedToken& token : tokens) {
    opens_[static_cast<uint8_t>(token.content[0])] = true;
    sizes_.push_back(token.content.size());
    std::string content = token.content;
    tokens_.insert_or_assign(std::move(content), std::move(token));
  }
  std::sort(sizes_.begin(), sizes_.end(), std::greater<>());
  sizes_.erase(std::unique(sizes_.begin(), sizes_.end()), sizes_.end());
}

const AddedToken* AddedTokenMatcher::LongestAt(std::string_view text, size_t at) const {
  for (size_t size : sizes_) {
    if (size > text.size() - at) continue;
    const auto found = tokens_.find(AbslView(text.substr(at, size)));
    if (found != tokens_.end()) return &found->second;
  }
  return nullptr;
}

std::vector<AddedTokenMatcher::Match> AddedTokenMatcher::FindAll(std::string_view text) const {
  std::vector<Match> matches;
  if (tokens_.empty()) return matches;
  size_t free_from = 0;  // The end of the last match.
  for (size_t at = 0; at < text.size();) {
    const AddedToken* token =
        opens_[static_cast<uint8_t>(text[at])] ? LongestAt(text, at) : nullptr;
    if (token == nullptr) {
      ++at;
      continue;
    }
    const size_t end = at + token->content.size();
    Match match = {token->id, at, end};
    if (token->lstrip) match.begin = std::max(free_from, WhitespaceBegin(text, at));
    if (token->rstrip) match.end = WhitespaceEnd(text, end);
    free_from = match.end;
    matches.push_back(match);
    at = end;  // A token may begin with white space that this one took along; the reference counts
               // it twice.
  }
  return matches;
}

}  // namespace vettore
