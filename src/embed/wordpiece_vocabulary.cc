#include "embed/wordpiece_vocabulary.h"

#include <algorithm>

namespace vettore {

WordPieceVocabulary::WordPieceVocabulary(std::vector<Piece> pieces,
                                         std::string_view continuing_prefix) {
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece& a, const Piece& b) { return a.first < b.first; });
  Place(pieces);
  continuing_node_ = 0;
  for (char byte : continuing_prefix) {
    if (continuing_node_ != kNone) continuing_node_ = Child(continuing_node_, byte);
  }
}

// Where all of `bytes` find free places. Gaps before first_free_ that took too long to fill stay
// empty.
uint32_t WordPieceVocabulary::FindBase(const std::vector<uint8_t>& bytes) {
  constexpr int kTriesBeforeGivingUpGaps = 64;
  while (first_free_ < nodes_.size() && nodes_[first_free_].check != kNone) ++first_free_;
  int tries = 0;
  for (uint32_t place = std::max<uint32_t>(first_free_, bytes[0] + 1u);; ++place) {
    const uint32_t base = place - bytes[0];
    const bool fits = std::all_of(bytes.begin(), bytes.end(), [&](uint8_t byte) {
      return base + byte >= nodes_.size() || nodes_[base + byte].check == kNone;
    });
    if (fits) return base;
    if (++tries == kTriesBeforeGivingUpGaps) first_free_ = place;
  }
}

void WordPieceVocabulary::Place(const std::vector<Piece>& sorted) {
  struct Pending {
    uint32_t node;
    size_t begin, end;  // The pieces below it,
    size_t depth;       // which agree in as many bytes.
  };
  nodes_.resize(1);
  nodes_[0].check = 0;  // Taken, and nobody's child: no base is below 1.
  std::vector<Pending> pending = {{0, 0, sorted.size(), 0}};
  std::vector<uint8_t> bytes;
  while (!pending.empty()) {
    Pending at = pending.back();
    pending.pop_back();
    while (at.begin < at.end && sorted[at.begin].first.size() == at.depth) {
      nodes_[at.node].id = sorted[at.begin++].second;
    }
    if (at.begin == at.end) {
      nodes_[at.node].base = kNone - 255;  // Past every node: a leaf has no child.
      continue;
    }
    bytes.clear();
    for (size_t i = at.begin; i < at.end; ++i) {
      const auto byte = static_cast<uint8_t>(sorted[i].first[at.depth]);
      if (bytes.empty() || bytes.back() != byte) bytes.push_back(byte);
    }
    const uint32_t base = FindBase(bytes);
    nodes_[at.node].base = base;
    if (base + bytes.back() >= nodes_.size()) nodes_.resize(base + bytes.back() + 1);
    size_t begin = at.begin;
    for (uint8_t byte : bytes) {
      size_t end = begin;
      while (end < at.end && static_cast<uint8_t>(sorted[end].first[at.depth]) == byte) ++end;
      nodes_[base + byte].check = at.node;
      pending.push_back({base + byte, begin, end, at.depth + 1});
      begin = end;
    }
  }
}

WordPieceVocabulary::Match WordPieceVocabulary::Longest(uint32_t node,
                                                        std::string_view text) const {
  Match longest = {0, 0};
  if (node == kNone) return longest;
  for (size_t i = 0; i < text.size(); ++i) {
    node = Child(node, text[i]);
    if (node == kNone) break;
    if (nodes_[node].id != kNone) longest = {nodes_[node].id, i + 1};
  }
  return longest;
}

}  // namespace vettore
