#include "embed/wordpiece_tokenizer.h"

#include <algorithm>

#include "base/hash.h"
#include "base/strings.h"

namespace vettore {
namespace {

std::vector<std::pair<std::string_view, uint32_t>> Views(const WordPieceConfig& config) {
  std::vector<std::pair<std::string_view, uint32_t>> views;
  views.reserve(config.vocabulary.size());
  for (const auto& [text, id] : config.vocabulary) views.emplace_back(text, id);
  return views;
}

std::vector<std::string> TextsById(const WordPieceConfig& config) {
  uint32_t largest = 0;
  for (const auto& piece : config.vocabulary) largest = std::max(largest, piece.second);
  for (const AddedToken& token : config.added_tokens) largest = std::max(largest, token.id);
  std::vector<std::string> texts(size_t{largest} + 1);
  for (const auto& [text, id] : config.vocabulary) texts[id] = text;
  for (const AddedToken& token : config.added_tokens) texts[token.id] = token.content;
  return texts;
}

std::string FingerprintOf(const WordPieceConfig& config, const TokenizerOptions& options) {
  const BertNormalizerOptions& n = config.normalizer;
  std::vector<std::string> parts = {
      "wordpiece", StrCat(n.clean_text, n.handle_chinese_chars, n.strip_accents, n.lowercase),
      config.continuing_prefix, StrCat(config.unknown_id, " ", config.max_chars_per_word),
      options.special_tokens_in_text == SpecialTokensInText::kAsIds ? "ids" : "text"};
  for (uint32_t id : config.prefix_ids) parts.push_back(StrCat("prefix ", id));
  for (uint32_t id : config.suffix_ids) parts.push_back(StrCat("suffix ", id));
  std::vector<std::string> tokens;  // In an order that the file they come from does not decide.
  for (const auto& [text, id] : config.vocabulary) tokens.push_back(StrCat(id, " ", text));
  for (const AddedToken& token : config.added_tokens) {
    tokens.push_back(StrCat("added ", token.id, " ", token.lstrip, token.rstrip, token.normalized,
                            token.special, " ", token.content));
  }
  std::sort(tokens.begin(), tokens.end());
  std::vector<std::string_view> views(parts.begin(), parts.end());
  views.insert(views.end(), tokens.begin(), tokens.end());
  return Fingerprint(views);
}

enum class Form { kRaw, kNormalized };

// The tokens that are matched against text of that form. A normalised token is written as
// normalised text is.
template <typename Normalize>
std::vector<AddedToken> Select(const WordPieceConfig& config, const TokenizerOptions& options,
                               Form form, const Normalize& normalize) {
  std::vector<AddedToken> selected;
  for (AddedToken token : config.added_tokens) {
    if (token.normalized != (form == Form::kNormalized)) continue;
    if (token.special && options.special_tokens_in_text == SpecialTokensInText::kAsText) continue;
    if (token.normalized) token.content = normalize(token.content);
    if (!token.content.empty()) selected.push_back(std::move(token));
  }
  return selected;
}

// Gathers normalised text as a string and where each of its bytes comes from.
class TextCollector {
 public:
  void Add(const NormalizedChar& character) {
    AppendUtf8(character.code_point, text_);
    characters_.resize(text_.size(), character);
  }
  void AddAscii(char c, CharClass char_class, uint32_t at) {
    Add({static_cast<uint8_t>(c), char_class, at, at + 1});
  }
  bool full() const { return false; }

  const std::string& text() const { return text_; }
  const NormalizedChar& OfByte(size_t at) const { return characters_[at]; }
  bool StartsCharacter(size_t at) const { return (static_cast<uint8_t>(text_[at]) & 0xC0) != 0x80; }

 private:
  std::string text_;
  std::vector<NormalizedChar> characters_;  // One for each byte of text_.
};

}  // namespace

// Gathers the characters of a word; looks its pieces up when it ends.
class WordPieceTokenizer::WordSplitter {
 public:
  WordSplitter(const WordPieceTokenizer& tokenizer, size_t max_tokens)
      : tokenizer_(tokenizer), max_tokens_(max_tokens) {}

  void AddAscii(char c, CharClass char_class, uint32_t at) {
    if (char_class != CharClass::kWord) {
      EndWord();
      if (char_class == CharClass::kSpace) return;
      AddToWord({static_cast<uint8_t>(c), char_class, at, at + 1});
      return EndWord();
    }
    if (chars_ != 0 && (!is_run_ || at != end_)) {
      return AddToWord({static_cast<uint8_t>(c), char_class, at, at + 1});
    }
    if (chars_ == 0) begin_ = at;
    end_ = at + 1;
    if (chars_++ < tokenizer_.max_chars_per_word_) word_.push_back(c);
  }

  void Add(const NormalizedChar& character) {
    if (character.char_class == CharClass::kWord) return AddToWord(character);
    EndWord();
    if (character.char_class == CharClass::kSpace) return;
    AddToWord(character);
    EndWord();
  }

  void EndWord() {
    if (chars_ == 0) return;
    if (!full()) AppendPieces();
    word_.clear();
    sources_.clear();
    chars_ = 0;
    is_run_ = true;
  }

  // A token that is not looked up. Ends the word before it.
  void AddToken(const Token& token) {
    EndWord();
    if (!full()) tokens_.push_back(token);
  }

  bool full() const { return tokens_.size() >= max_tokens_; }
  std::vector<Token> Take() {
    EndWord();
    return std::move(tokens_);
  }

 private:
  struct Source {
    uint32_t begin, end;
  };

  // The general case: the word's bytes do not stand in the text as they are.
  void AddToWord(const NormalizedChar& character) {
    if (is_run_) {
      for (uint32_t i = 0; i < word_.size(); ++i) sources_.push_back({begin_ + i, begin_ + i + 1});
      is_run_ = false;
    }
    // NFD puts marks into another order than the text's.
    begin_ = chars_ == 0 ? character.begin : std::min(begin_, character.begin);
    end_ = chars_ == 0 ? character.end : std::max(end_, character.end);
    if (chars_++ < tokenizer_.max_chars_per_word_) {
      AppendUtf8(character.code_point, word_);
      sources_.resize(word_.size(), {character.begin, character.end});
    }
  }

  // Where bytes [begin, end) of the word come from.
  Source SourceOf(size_t begin, size_t end) const {
    if (is_run_)
      return {static_cast<uint32_t>(begin_ + begin), static_cast<uint32_t>(begin_ + end)};
    Source all = sources_[begin];
    for (size_t i = begin + 1; i < end; ++i) {
      all.begin = std::min(all.begin, sources_[i].begin);
      all.end = std::max(all.end, sources_[i].end);
    }
    return all;
  }

  void AppendPieces() {
    const size_t first_token = tokens_.size();
    const std::string_view word = word_;
    bool is_known = chars_ <= tokenizer_.max_chars_per_word_;
    for (size_t at = 0; is_known && at < word.size();) {
      const WordPieceVocabulary::Match match =
          at == 0 ? tokenizer_.vocabulary_.LongestAtStart(word)
                  : tokenizer_.vocabulary_.LongestInside(word.substr(at));
      if (match.size == 0) {
        is_known = false;
        break;
      }
      const Source source = SourceOf(at, at + match.size);
      tokens_.push_back({match.id, source.begin, source.end});
      at += match.size;
    }
    if (!is_known) {
      tokens_.resize(first_token);
      tokens_.push_back({tokenizer_.unknown_id_, begin_, end_});
    }
    if (full()) tokens_.resize(max_tokens_);
  }

  const WordPieceTokenizer& tokenizer_;
  const size_t max_tokens_;
  std::vector<Token> tokens_;

  // The word so far. `word_` and `sources_` hold no more than the allowed number of characters.
  std::string word_;
  std::vector<Source> sources_;  // Of each byte of word_; empty while is_run_.
  size_t chars_ = 0;
  uint32_t begin_ = 0, end_ = 0;
  bool is_run_ = true;  // Byte i of word_ comes from byte begin_ + i of the text.
};

WordPieceTokenizer::WordPieceTokenizer(const WordPieceConfig& config,
                                       const TokenizerOptions& options)
    : normalizer_(config.normalizer),
      vocabulary_(Views(config), config.continuing_prefix),
      raw_tokens_(Select(config, options, Form::kRaw,
                         [this](std::string_view text) { return NormalizedText(text); })),
      normalized_tokens_(Select(config, options, Form::kNormalized,
                                [this](std::string_view text) { return NormalizedText(text); })),
      lowercases_(config.normalizer.lowercase),
      unknown_id_(config.unknown_id),
      max_chars_per_word_(config.max_chars_per_word),
      prefix_ids_(config.prefix_ids),
      suffix_ids_(config.suffix_ids),
      texts_(TextsById(config)),
      fingerprint_(FingerprintOf(config, options)) {}

std::string WordPieceTokenizer::NormalizedText(std::string_view text) const {
  TextCollector collector;
  normalizer_.Normalize(text, 0, collector);
  return collector.text();
}

void WordPieceTokenizer::TokenizePart(std::string_view part, uint32_t base,
                                      WordSplitter& splitter) const {
  if (normalized_tokens_.empty()) {
    normalizer_.Normalize(part, base, splitter);
    return splitter.EndWord();
  }
  TextCollector normalized;
  normalizer_.Normalize(part, base, normalized);
  const auto add_words = [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end && !splitter.full(); ++i) {
      if (normalized.StartsCharacter(i)) splitter.Add(normalized.OfByte(i));
    }
    splitter.EndWord();
  };
  size_t done = 0;
  for (const AddedTokenMatcher::Match& match : normalized_tokens_.FindAll(normalized.text())) {
    if (match.begin > done) add_words(done, match.begin);
    splitter.AddToken(
        {match.id, normalized.OfByte(match.begin).begin, normalized.OfByte(match.end - 1).end});
    done = match.end;
  }
  add_words(done, normalized.text().size());
}

std::vector<Token> WordPieceTokenizer::Tokenize(std::string_view text, size_t max_tokens) const {
  WordSplitter splitter(*this, max_tokens);
  size_t done = 0;
  for (const AddedTokenMatcher::Match& match : raw_tokens_.FindAll(text)) {
    if (splitter.full()) break;
    if (match.begin > done) {
      TokenizePart(text.substr(done, match.begin - done), static_cast<uint32_t>(done), splitter);
    }
    splitter.AddToken(
        {match.id, static_cast<uint32_t>(match.begin), static_cast<uint32_t>(match.end)});
    done = match.end;
  }
  if (!splitter.full()) TokenizePart(text.substr(done), static_cast<uint32_t>(done), splitter);
  return splitter.Take();
}

}  // namespace vettore
