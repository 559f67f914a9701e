// The one interface of this room: texts to vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/cancel.h"
#include "embed/tokenizer.h"

namespace vettore {

enum class InputType { kDocument, kQuery };
enum class Pooling { kMean, kCls };
enum class Truncation {
  kError,
  kEnd
};  // Refuse a text that is too long, or embed its beginning and say so.

struct ModelInfo {
  std::string name;  // Of its directory.
  uint32_t dimension = 0;
  uint32_t max_tokens = 0;  // Special tokens included.
  Pooling pooling = Pooling::kMean;
  bool normalized = false;   // Vectors have unit length.
  std::string query_prompt;  // Put before the text; may be empty.
  std::string document_prompt;
  // Of weights, tokeniser, pooling, prompts and dimension: equal fingerprints give equal vectors.
  std::string fingerprint;
  uint64_t parameters = 0;
};

struct EmbedOptions {
  InputType input_type = InputType::kDocument;
  Truncation truncation = Truncation::kEnd;
};

struct EmbedResult {
  std::vector<float> vectors;  // (texts, dimension)
  // (texts) of the whole text with its prompt, special tokens included, before truncation
  std::vector<uint32_t> token_counts;
  std::vector<bool> truncated;  // (texts)
  absl::Duration tokenize_time;
  absl::Duration forward_time;
};

// What a model has computed since it was loaded.
struct EmbedCounters {
  uint64_t texts = 0;
  uint64_t tokens = 0;  // Special tokens included, cut ones not.
};

// A loaded model. Thread-safe: a small call runs on its caller's thread, at once; a bulk call in
// chunks on workers of low priority that all models share, taking turns with other bulk calls.
class Embedder {
 public:
  // Reads a Hugging Face directory: config.json, model.safetensors (f32 or f16), the tokeniser,
  // modules.json and the pooling config where they exist. InvalidArgument or DataLoss naming the
  // file and what is wrong with it.
  static absl::StatusOr<std::unique_ptr<Embedder>> Load(const std::filesystem::path& model_dir);
  virtual ~Embedder() = default;

  // InvalidArgument for invalid UTF-8, a text over limits::kTextBytes or, with kError, over
  // max_tokens; the message holds the index of the text. An empty text is embedded as its special
  // tokens alone. DeadlineExceeded or Cancelled when `cancel` fires. What else is in `texts`
  // changes a vector by rounding at most.
  virtual absl::StatusOr<EmbedResult> Embed(std::span<const std::string_view> texts,
                                            const EmbedOptions& options,
                                            const CancelToken& cancel) const = 0;

  virtual EmbedCounters counters() const = 0;
  virtual const ModelInfo& info() const = 0;
  virtual const Tokenizer& tokenizer() const = 0;
};

}  // namespace vettore
