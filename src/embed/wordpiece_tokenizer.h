// BERT's WordPiece tokeniser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "embed/added_tokens.h"
#include "embed/bert_normalizer.h"
#include "embed/tokenizer.h"
#include "embed/wordpiece_vocabulary.h"

namespace vettore {

// What a tokeniser's files say.
struct WordPieceConfig {
  BertNormalizerOptions normalizer;
  std::vector<std::pair<std::string, uint32_t>> vocabulary;  // Of equal texts the last counts.
  std::vector<AddedToken> added_tokens;                      // No content is empty.
  std::string continuing_prefix = "##";
  uint32_t unknown_id = 0;
  size_t max_chars_per_word = 100;  // A longer word is one unknown token.
  std::vector<uint32_t> prefix_ids, suffix_ids;
};

// Immutable; thread-safe.
class WordPieceTokenizer final : public Tokenizer {
 public:
  WordPieceTokenizer(const WordPieceConfig& config, const TokenizerOptions& options);

  std::vector<Token> Tokenize(std::string_view text, size_t max_tokens) const override;
  const std::vector<uint32_t>& prefix_ids() const override { return prefix_ids_; }
  const std::vector<uint32_t>& suffix_ids() const override { return suffix_ids_; }
  std::string_view TokenText(uint32_t id) const override {
    return id < texts_.size() ? std::string_view(texts_[id]) : std::string_view();
  }
  size_t vocabulary_size() const override { return texts_.size(); }
  const std::string& fingerprint() const override { return fingerprint_; }
  bool lowercases() const override { return lowercases_; }

 private:
  class WordSplitter;

  // Tokenises text that holds no raw added token and begins at byte `base` of the whole.
  void TokenizePart(std::string_view part, uint32_t base, WordSplitter& splitter) const;
  std::string NormalizedText(std::string_view text) const;

  const BertNormalizer normalizer_;
  const WordPieceVocabulary vocabulary_;
  const AddedTokenMatcher raw_tokens_;
  const AddedTokenMatcher normalized_tokens_;
  const bool lowercases_;
  const uint32_t unknown_id_;
  const size_t max_chars_per_word_;
  const std::vector<uint32_t> prefix_ids_, suffix_ids_;
  const std::vector<std::string> texts_;  // By id.
  const std::string fingerprint_;
};

}  // namespace vettore
