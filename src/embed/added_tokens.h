// Tokens that are looked for as whole strings before the text is split into words.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace vettore {

struct AddedToken {
  std::string content;
  uint32_t id = 0;
  bool lstrip = false;      // Takes the white space before it along.
  bool rstrip = false;      // Takes the white space after it along.
  bool normalized = false;  // Is looked for in the normalised text, not in the raw one.
  bool special = false;
};

// Finds the leftmost of the tokens, the longest of those; matches overlap in white space at most.
// Immutable.
class AddedTokenMatcher {
 public:
  struct Match {
    uint32_t id;
    size_t begin, end;  // bytes; white space that the token takes along is within
  };

  // No token's content may be empty.
  explicit AddedTokenMatcher(std::vector<AddedToken> tokens);

  std::vector<Match> FindAll(std::string_view text) const;
  bool empty() const { return tokens_.empty(); }

 private:
  const AddedToken* LongestAt(std::string_view text, size_t at) const;

  absl::flat_hash_map<std::string, AddedToken> tokens_;  // By content.
  std::vector<size_t> sizes_;                            // Of the contents, longest first.
  std::array<bool, 256> opens_{};                        // Whether a token begins with the byte.
};

}  // namespace vettore
