// Text to token ids, exactly as the model was trained with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace vettore {

struct Token {
  uint32_t id = 0;
  uint32_t begin = 0;  // Byte range of the text that the token covers.
  uint32_t end = 0;
};

// What "[SEP]" and its like mean in a user's text.
enum class SpecialTokensInText {
  kAsIds,  // The id of the special token, as the reference does. A text can so end its own sentence
           // for the model.
  kAsText,  // Plain text: "[", "sep", "]".
};

struct TokenizerOptions {
  SpecialTokensInText special_tokens_in_text = SpecialTokensInText::kAsIds;
};

// Immutable; thread-safe.
class Tokenizer {
 public:
  // Reads tokenizer.json, or vocab.txt with tokenizer_config.json; padding and truncation written
  // there are ignored. InvalidArgument, naming the file, when neither is there, or they hold a
  // tokeniser that is not supported.
  static absl::StatusOr<std::unique_ptr<Tokenizer>> Load(const std::filesystem::path& model_dir,
                                                         const TokenizerOptions& options = {});
  virtual ~Tokenizer() = default;

  // Tokens of valid UTF-8 text under 4 GiB, without the special tokens around it; stops after
  // `max_tokens`.
  virtual std::vector<Token> Tokenize(std::string_view text, size_t max_tokens) const = 0;

  // What stands before and after a single text ([CLS], [SEP]).
  virtual const std::vector<uint32_t>& prefix_ids() const = 0;
  virtual const std::vector<uint32_t>& suffix_ids() const = 0;
  // As the vocabulary spells it ("##ing"); empty for an id that no token has.
  virtual std::string_view TokenText(uint32_t id) const = 0;
  // One more than the largest id.
  virtual size_t vocabulary_size() const = 0;
  // Of everything that decides about ids: equal fingerprints give equal tokens.
  virtual const std::string& fingerprint() const = 0;
  // Whether upper and lower case give the same tokens.
  virtual bool lowercases() const = 0;
};

}  // namespace vettore
