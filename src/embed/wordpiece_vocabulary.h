// The word pieces of a vocabulary, for greedy longest-match lookup.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vettore {

// A trie over bytes as a double array: the child of node n by byte b is base[n] + b when check
// there is n (Aoe 1989). Immutable.
class WordPieceVocabulary {
 public:
  struct Match {
    uint32_t id;
    size_t size;  // bytes; 0 when nothing matches
  };

  // `pieces`: text and id; of equal texts the last counts. A piece inside a word stands with
  // `continuing_prefix` before it.
  WordPieceVocabulary(std::vector<std::pair<std::string_view, uint32_t>> pieces,
                      std::string_view continuing_prefix);

  // The longest piece that begins `text`.
  Match LongestAtStart(std::string_view text) const { return Longest(0, text); }
  Match LongestInside(std::string_view text) const { return Longest(continuing_node_, text); }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Node {
    uint32_t base = 0;
    uint32_t check = kNone;  // The parent; kNone where no node is.
    uint32_t id = kNone;
  };
  using Piece = std::pair<std::string_view, uint32_t>;

  void Place(const std::vector<Piece>& sorted);
  uint32_t FindBase(const std::vector<uint8_t>& bytes);
  Match Longest(uint32_t node, std::string_view text) const;
  uint32_t Child(uint32_t node, char byte) const {
    const uint32_t child = nodes_[node].base + static_cast<uint8_t>(byte);
    return child < nodes_.size() && nodes_[child].check == node ? child : kNone;
  }

  std::vector<Node> nodes_;  // The root is 0.
  uint32_t first_free_ = 1;
  uint32_t continuing_node_ =
      kNone;  // Where the continuing prefix leads; kNone when no piece has it.
};

}  // namespace vettore
