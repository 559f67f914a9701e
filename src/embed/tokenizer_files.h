// The two forms in which a WordPiece tokeniser lies in a model directory.
#pragma once

#include <filesystem>

#include "absl/status/statusor.h"
#include "embed/wordpiece_tokenizer.h"

namespace vettore {

// tokenizer.json of Hugging Face tokenizers: BertNormalizer, BertPreTokenizer, WordPiece.
// InvalidArgument names the field that is wrong or asks for something else.
absl::StatusOr<WordPieceConfig> ReadTokenizerJson(const std::filesystem::path& path);

// vocab.txt (a token a line, its id the line's number from 0) and tokenizer_config.json of
// BertTokenizer.
absl::StatusOr<WordPieceConfig> ReadVocabularyFiles(const std::filesystem::path& vocabulary,
                                                    const std::filesystem::path& config);

}  // namespace vettore
