// An Embedder over a BERT encoder: checks, tokenises, batches, pools.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <system_error>
#include <utility>

#include "absl/time/clock.h"
#include "base/hash.h"
#include "base/status.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "embed/bert_encoder.h"
#include "embed/bert_weights.h"
#include "embed/embedder.h"
#include "embed/forward_scheduler.h"
#include "embed/model_config.h"
#include "embed/safetensors.h"
#include "types/limits.h"

namespace vettore {
namespace {

// Up to so many tokens in all run on the caller's thread.
constexpr size_t kSmallCallTokens = 512;
// A chunk of a bulk call: large enough for matrix products near their best, small enough that a
// cancelled call ends soon.
constexpr size_t kMaxChunkTokens = 1024;
constexpr size_t kMinChunkTokens = 256;

// Token sequences of a call and what is reported about them.
struct Sequences {
  std::vector<uint32_t> ids;
  std::vector<uint32_t> starts = {0};  // (texts + 1)
};

absl::Status CheckText(std::string_view text, size_t index) {
  if (text.size() > limits::kTextBytes) {
    return absl::InvalidArgumentError(StrCat("texts[", index, "]: ", text.size(),
                                             " bytes, the limit is ", limits::kTextBytes,
                                             "; split it into passages"));
  }
  const std::optional<size_t> invalid = FindInvalidUtf8(text);
  if (invalid.has_value()) {
    return absl::InvalidArgumentError(
        StrCat("texts[", index, "]: not valid UTF-8 from byte ", *invalid));
  }
  return absl::OkStatus();
}

class BertEmbedder final : public Embedder {
 public:
  BertEmbedder(const ModelConfig& config, std::string_view name, BertWeights weights,
               std::unique_ptr<Tokenizer> tokenizer)
      : info_(InfoOf(config, name, weights, *tokenizer)),
        tokenizer_(std::move(tokenizer)),
        encoder_(config.bert, std::move(weights), config.pooling) {}

  absl::StatusOr<EmbedResult> Embed(std::span<const std::string_view> texts,
                                    const EmbedOptions& options,
                                    const CancelToken& cancel) const override;

  EmbedCounters counters() const override {
    return {texts_computed_.load(std::memory_order_relaxed),
            tokens_computed_.load(std::memory_order_relaxed)};
  }
  const ModelInfo& info() const override { return info_; }
  const Tokenizer& tokenizer() const override { return *tokenizer_; }

 private:
  static ModelInfo InfoOf(const ModelConfig& config, std::string_view name,
                          const BertWeights& weights, const Tokenizer& tokenizer);

  absl::Status AppendTokens(std::string_view text, const EmbedOptions& options,
                            Sequences& sequences, EmbedResult& result) const;
  absl::Status RunForward(const Sequences& sequences, const CancelToken& cancel,
                          std::span<float> vectors) const;
  // Sequences [first, last) of a call, into their rows of `vectors`.
  void RunRange(const Sequences& sequences, size_t first, size_t last,
                std::span<float> vectors) const;

  const ModelInfo info_;
  const std::unique_ptr<Tokenizer> tokenizer_;
  const BertEncoder encoder_;

  mutable std::atomic<uint64_t> texts_computed_ = 0;
  mutable std::atomic<uint64_t> tokens_computed_ = 0;
};

ModelInfo BertEmbedder::InfoOf(const ModelConfig& config, std::string_view name,
                               const BertWeights& weights, const Tokenizer& tokenizer) {
  ModelInfo info;
  info.name = name;
  info.dimension = config.bert.hidden_size;
  info.max_tokens = config.max_tokens;
  info.pooling = config.pooling;
  info.normalized = config.normalized;
  info.query_prompt = config.query_prompt;
  info.document_prompt = config.document_prompt;
  info.parameters = weights.parameters;
  const std::string shape = StrCat(
      "bert 1: ", config.bert.hidden_size, " ", config.bert.layers, " ", config.bert.heads, " ",
      config.bert.intermediate_size, " ", config.bert.layer_norm_epsilon, " ", config.max_tokens,
      config.pooling == Pooling::kMean ? " mean" : " cls", config.normalized ? " unit" : "");
  const std::string_view parts[] = {shape, weights.fingerprint, tokenizer.fingerprint(),
                                    config.query_prompt, config.document_prompt};
  info.fingerprint = Fingerprint(parts);
  return info;
}

absl::Status BertEmbedder::AppendTokens(std::string_view text, const EmbedOptions& options,
                                        Sequences& sequences, EmbedResult& result) const {
  const size_t index = result.token_counts.size();
  const std::string& prompt =
      options.input_type == InputType::kQuery ? info_.query_prompt : info_.document_prompt;
  const std::string with_prompt = prompt.empty() ? std::string() : StrCat(prompt, text);
  const std::vector<Token> tokens =
      tokenizer_->Tokenize(prompt.empty() ? text : std::string_view(with_prompt), SIZE_MAX);
  const std::vector<uint32_t>& prefix = tokenizer_->prefix_ids();
  const std::vector<uint32_t>& suffix = tokenizer_->suffix_ids();
  const size_t special = prefix.size() + suffix.size();
  const size_t whole = tokens.size() + special;
  const size_t kept = std::min<size_t>(tokens.size(), info_.max_tokens - special);
  if (kept < tokens.size() && options.truncation == Truncation::kError) {
    return absl::InvalidArgumentError(StrCat("texts[", index, "]: ", whole, " tokens, model '",
                                             info_.name, "' takes at most ", info_.max_tokens,
                                             "; split it into passages or allow truncation"));
  }
  sequences.ids.insert(sequences.ids.end(), prefix.begin(), prefix.end());
  for (size_t i = 0; i < kept; ++i) sequences.ids.push_back(tokens[i].id);
  sequences.ids.insert(sequences.ids.end(), suffix.begin(), suffix.end());
  sequences.starts.push_back(static_cast<uint32_t>(sequences.ids.size()));
  result.token_counts.push_back(static_cast<uint32_t>(whole));
  result.truncated.push_back(kept < tokens.size());
  return absl::OkStatus();
}

void BertEmbedder::RunRange(const Sequences& sequences, size_t first, size_t last,
                            std::span<float> vectors) const {
  const uint32_t begin = sequences.starts[first];
  std::vector<uint32_t> starts;
  starts.reserve(last - first + 1);
  for (size_t i = first; i <= last; ++i) starts.push_back(sequences.starts[i] - begin);
  const TokenBatch batch = {std::span(sequences.ids).subspan(begin, sequences.starts[last] - begin),
                            starts};
  const size_t dim = info_.dimension;
  const std::span<float> rows = vectors.subspan(first * dim, (last - first) * dim);
  encoder_.Forward(batch, rows);
  if (info_.normalized) {
    for (size_t row = 0; row < rows.size(); row += dim) {
      const std::span<float> v = rows.subspan(row, dim);
      const double square = std::inner_product(v.begin(), v.end(), v.begin(), 0.0);
      const auto scale = static_cast<float>(1.0 / std::max(std::sqrt(square), 1e-12));
      for (float& x : v) x *= scale;
    }
  }
  texts_computed_.fetch_add(last - first, std::memory_order_relaxed);
  tokens_computed_.fetch_add(batch.ids.size(), std::memory_order_relaxed);
}

absl::Status BertEmbedder::RunForward(const Sequences& sequences, const CancelToken& cancel,
                                      std::span<float> vectors) const {
  const size_t texts = sequences.starts.size() - 1;
  const size_t tokens = sequences.ids.size();
  ForwardScheduler& scheduler = ForwardScheduler::Shared();
  if (tokens <= kSmallCallTokens) {
    return scheduler.RunNow([&] { RunRange(sequences, 0, texts, vectors); }, cancel);
  }
  const size_t share = tokens / static_cast<size_t>(scheduler.workers()) + 1;
  const size_t chunk_tokens = std::clamp(share, kMinChunkTokens, kMaxChunkTokens);
  std::vector<size_t> bounds = {0};  // Chunk i holds the texts [bounds[i], bounds[i + 1]).
  for (size_t i = 0; i < texts; ++i) {
    const size_t with_this = sequences.starts[i + 1] - sequences.starts[bounds.back()];
    if (with_this > chunk_tokens && i > bounds.back()) bounds.push_back(i);
  }
  bounds.push_back(texts);
  const auto run_chunk = [&](size_t i) { RunRange(sequences, bounds[i], bounds[i + 1], vectors); };
  return scheduler.RunChunks(bounds.size() - 1, run_chunk, cancel);
}

absl::StatusOr<EmbedResult> BertEmbedder::Embed(std::span<const std::string_view> texts,
                                                const EmbedOptions& options,
                                                const CancelToken& cancel) const {
  for (size_t i = 0; i < texts.size(); ++i) {
    VETTORE_RETURN_IF_ERROR(CheckText(texts[i], i));
  }
  EmbedResult result;
  if (texts.empty()) return result;

  const absl::Time start = absl::Now();
  Sequences sequences;
  for (std::string_view text : texts) {
    VETTORE_RETURN_IF_ERROR(cancel.Poll());
    VETTORE_RETURN_IF_ERROR(AppendTokens(text, options, sequences, result));
  }
  const absl::Time tokenized = absl::Now();
  result.vectors.resize(texts.size() * info_.dimension);
  VETTORE_RETURN_IF_ERROR(RunForward(sequences, cancel, result.vectors));
  result.tokenize_time = tokenized - start;
  result.forward_time = absl::Now() - tokenized;
  return result;
}

absl::Status CheckTokenizer(const ModelConfig& config, const Tokenizer& tokenizer) {
  const std::string where = config.transformer_dir.string();
  if (tokenizer.vocabulary_size() > config.bert.vocabulary_size) {
    return absl::InvalidArgumentError(
        StrCat(where, ": the tokeniser has ids up to ", tokenizer.vocabulary_size() - 1,
               ", config.json's vocab_size is ", config.bert.vocabulary_size));
  }
  for (const std::span<const uint32_t> specials :
       {std::span(tokenizer.prefix_ids()), std::span(tokenizer.suffix_ids())}) {
    for (const uint32_t id : specials) {
      if (id < config.bert.vocabulary_size) continue;
      return absl::InvalidArgumentError(
          StrCat(where, ": tokenizer.json: post_processor has the id ", id,
                 ", config.json's vocab_size is ", config.bert.vocabulary_size));
    }
  }
  if (tokenizer.prefix_ids().size() + tokenizer.suffix_ids().size() >= config.max_tokens) {
    return absl::InvalidArgumentError(
        StrCat(where, ": ", config.max_tokens, " tokens leave no room beside the special ones"));
  }
  // An empty text is its special tokens: without any there would be nothing to pool.
  if (tokenizer.prefix_ids().empty() && tokenizer.suffix_ids().empty()) {
    return absl::InvalidArgumentError(
        StrCat(where, ": the tokeniser puts no special tokens around a text, BERT expects [CLS]"));
  }
  if (config.lowercases && !tokenizer.lowercases()) {
    return absl::InvalidArgumentError(
        StrCat(where, ": sentence_bert_config.json asks for do_lower_case, which the tokeniser ",
               "does not do; set its normaliser to lowercase"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Embedder>> Embedder::Load(const std::filesystem::path& model_dir) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(model_dir, ignored)) {
    return absl::InvalidArgumentError(StrCat(model_dir.string(), ": not a model directory"));
  }
  VETTORE_ASSIGN_OR_RETURN(const ModelConfig config, ReadModelConfig(model_dir));
  VETTORE_ASSIGN_OR_RETURN(std::unique_ptr<Tokenizer> tokenizer,
                           Tokenizer::Load(config.transformer_dir));
  VETTORE_RETURN_IF_ERROR(CheckTokenizer(config, *tokenizer));
  VETTORE_ASSIGN_OR_RETURN(const SafetensorsFile file,
                           SafetensorsFile::Open(config.transformer_dir / "model.safetensors"));
  VETTORE_ASSIGN_OR_RETURN(BertWeights weights, ReadBertWeights(file, config.bert));
  const std::filesystem::path named = model_dir / "";  // "models/name" and "models/name/" alike.
  return std::make_unique<BertEmbedder>(config, named.parent_path().filename().string(),
                                        std::move(weights), std::move(tokenizer));
}

}  // namespace vettore
