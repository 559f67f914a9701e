#include "embed/tokenizer.h"

#include <system_error>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "embed/tokenizer_files.h"
#include "embed/wordpiece_tokenizer.h"

namespace vettore {
namespace {

absl::StatusOr<WordPieceConfig> ReadConfig(const std::filesystem::path& model_dir) {
  std::error_code ignored;
  const std::filesystem::path whole = model_dir / "tokenizer.json";
  if (std::filesystem::exists(whole, ignored)) return ReadTokenizerJson(whole);
  const std::filesystem::path vocabulary = model_dir / "vocab.txt";
  const std::filesystem::path config = model_dir / "tokenizer_config.json";
  for (const std::filesystem::path& file : {vocabulary, config}) {
    if (std::filesystem::exists(file, ignored)) continue;
    return absl::InvalidArgumentError(StrCat(
        model_dir.string(), ": holds no tokeniser: expected tokenizer.json, or vocab.txt with ",
        "tokenizer_config.json; ", file.filename().string(), " is missing"));
  }
  return ReadVocabularyFiles(vocabulary, config);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Tokenizer>> Tokenizer::Load(const std::filesystem::path& model_dir,
                                                           const TokenizerOptions& options) {
  VETTORE_ASSIGN_OR_RETURN(WordPieceConfig config, ReadConfig(model_dir));
  return std::make_unique<WordPieceTokenizer>(std::move(config), options);
}

}  // namespace vettore
