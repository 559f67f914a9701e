#include "embed/bert_encoder.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/status.h"
#include "embed/self_attention.h"

namespace vettore {
namespace {

// Tokens that pass through what follows the attention together.
constexpr size_t kBlockTokens = 64;

}  // namespace

// The floats of one forward pass. Nothing is kept between passes: memory returns to what it was.
struct BertEncoder::Activations {
  Activations(const BertConfig& config, size_t tokens, size_t longest)
      : hidden(Floats(tokens * config.hidden_size)),
        query_key_value(Floats(tokens * 3 * config.hidden_size)),
        context(Floats(tokens * config.hidden_size)),
        projected(Floats(std::min(tokens, kBlockTokens) * config.hidden_size)),
        intermediate(Floats(std::min(tokens, kBlockTokens) * config.intermediate_size)),
        attention(config.hidden_size, config.heads, longest) {}

  static std::unique_ptr<float[]> Floats(size_t count) {
    return std::make_unique_for_overwrite<float[]>(count);
  }

  const std::unique_ptr<float[]> hidden;           // (tokens, hidden)
  const std::unique_ptr<float[]> query_key_value;  // (tokens, 3 hidden)
  const std::unique_ptr<float[]> context;          // (tokens, hidden)
  const std::unique_ptr<float[]> projected;        // (kBlockTokens, hidden)
  const std::unique_ptr<float[]> intermediate;     // (kBlockTokens, intermediate)
  SelfAttention attention;
};

BertEncoder::Layer::Layer(BertLayerWeights weights)
    : query_key_value(std::move(weights.query_key_value)),
      attention_output(std::move(weights.attention_output)),
      attention_norm(std::move(weights.attention_norm)),
      intermediate(std::move(weights.intermediate)),
      output(std::move(weights.output)),
      output_norm(std::move(weights.output_norm)) {}

BertEncoder::BertEncoder(const BertConfig& config, BertWeights weights, Pooling pooling)
    : config_(config),
      word_embeddings_(std::move(weights.word_embeddings)),
      position_embeddings_(std::move(weights.position_embeddings)),
      embedding_norm_(std::move(weights.embedding_norm)),
      pooling_(pooling),
      math_(ActiveVectorMath()) {
  layers_.reserve(weights.layers.size());
  for (BertLayerWeights& layer : weights.layers) layers_.emplace_back(std::move(layer));
}

void BertEncoder::AddAndNormalize(const LayerNormWeights& norm, size_t rows, const float* a,
                                  float* b) const {
  const size_t size = config_.hidden_size;
  const LayerNormView view = {norm.gain.data(), norm.shift.data(), config_.layer_norm_epsilon};
  for (size_t i = 0; i < rows; ++i) {
    math_.add_layer_norm(a + i * size, b + i * size, size, view, b + i * size);
  }
}

void BertEncoder::Embed(const TokenBatch& batch, Activations& a) const {
  const size_t size = config_.hidden_size;
  const LayerNormWeights& norm = embedding_norm_;
  const LayerNormView view = {norm.gain.data(), norm.shift.data(), config_.layer_norm_epsilon};
  for (size_t sequence = 0; sequence < batch.sequences(); ++sequence) {
    const uint32_t start = batch.starts[sequence];
    for (uint32_t i = start; i < batch.starts[sequence + 1]; ++i) {
      math_.add_layer_norm(&word_embeddings_[batch.ids[i] * size],
                           &position_embeddings_[(i - start) * size], size, view,
                           &a.hidden[i * size]);
    }
  }
}

void BertEncoder::RunBlock(const Layer& layer, size_t rows, const float* context, Activations& a,
                           float* hidden) const {
  float* const projected = a.projected.get();
  float* const intermediate = a.intermediate.get();
  layer.attention_output.Apply(rows, context, projected);
  AddAndNormalize(layer.attention_norm, rows, hidden, projected);
  layer.intermediate.Apply(rows, projected, intermediate);
  math_.gelu(rows * config_.intermediate_size, intermediate);
  layer.output.Apply(rows, intermediate, hidden);
  AddAndNormalize(layer.output_norm, rows, projected, hidden);
}

void BertEncoder::RunLayer(const Layer& layer, const TokenBatch& batch, Activations& a) const {
  const size_t size = config_.hidden_size;
  const size_t tokens = batch.ids.size();
  for (size_t first = 0; first < tokens; first += kBlockTokens) {
    layer.query_key_value.Apply(std::min(kBlockTokens, tokens - first), &a.hidden[first * size],
                                &a.query_key_value[first * 3 * size]);
  }
  for (size_t sequence = 0; sequence < batch.sequences(); ++sequence) {
    const size_t start = batch.starts[sequence];
    a.attention.Attend(batch.starts[sequence + 1] - start, &a.query_key_value[start * 3 * size],
                       &a.context[start * size]);
  }
  for (size_t first = 0; first < tokens; first += kBlockTokens) {
    RunBlock(layer, std::min(kBlockTokens, tokens - first), &a.context[first * size], a,
             &a.hidden[first * size]);
  }
}

void BertEncoder::Pool(const TokenBatch& batch, const Activations& a,
                       std::span<float> vectors) const {
  const size_t size = config_.hidden_size;
  for (size_t sequence = 0; sequence < batch.sequences(); ++sequence) {
    float* vector = &vectors[sequence * size];
    const size_t start = batch.starts[sequence];
    const size_t end = batch.starts[sequence + 1];
    const float* first = &a.hidden[start * size];
    std::copy(first, first + size, vector);
    if (pooling_ == Pooling::kCls) continue;
    for (size_t i = start + 1; i < end; ++i) math_.add(&a.hidden[i * size], size, vector);
    const float scale = 1.0f / static_cast<float>(end - start);
    for (size_t j = 0; j < size; ++j) vector[j] *= scale;
  }
}

void BertEncoder::Forward(const TokenBatch& batch, std::span<float> vectors) const {
  VETTORE_CHECK(vectors.size() == batch.sequences() * config_.hidden_size);
  size_t longest = 0;
  for (size_t i = 0; i < batch.sequences(); ++i) {
    longest = std::max<size_t>(longest, batch.starts[i + 1] - batch.starts[i]);
  }
  VETTORE_CHECK(longest <= config_.max_positions);
  Activations a(config_, batch.ids.size(), longest);
  Embed(batch, a);
  for (const Layer& layer : layers_) RunLayer(layer, batch, a);
  Pool(batch, a, vectors);
}

}  // namespace vettore
