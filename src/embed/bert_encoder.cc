#include "embed/bert_encoder.h"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/status.h"

namespace vettore {

// The floats of one forward pass. Nothing is kept between passes: memory returns to what it was.
struct BertEncoder::Activations {
  Activations(const BertConfig& config, size_t token_count, size_t longest)
      : tokens(token_count),
        hidden(Floats(tokens * config.hidden_size)),
        query_key_value(Floats(tokens * 3 * config.hidden_size)),
        context(Floats(tokens * config.hidden_size)),
        projected(Floats(tokens * config.hidden_size)),
        intermediate(Floats(tokens * config.intermediate_size)),
        scores(Floats(longest * longest)) {}

  static std::unique_ptr<float[]> Floats(size_t count) {
    return std::make_unique_for_overwrite<float[]>(count);
  }

  const size_t tokens;
  const std::unique_ptr<float[]> hidden;           // (tokens, hidden)
  const std::unique_ptr<float[]> query_key_value;  // (tokens, 3 hidden)
  const std::unique_ptr<float[]> context;          // (tokens, hidden)
  const std::unique_ptr<float[]> projected;        // (tokens, hidden)
  const std::unique_ptr<float[]> intermediate;     // (tokens, intermediate)
  const std::unique_ptr<float[]> scores;  // (longest, longest), of one head of one sequence
};

BertEncoder::BertEncoder(const BertConfig& config, BertWeights weights, Pooling pooling)
    : config_(config), weights_(std::move(weights)), pooling_(pooling), math_(ActiveVectorMath()) {
  // Threads are ours: a product that spreads over cores by itself would fight with the other calls.
  // Of the process.
  openblas_set_num_threads(1);
}

void BertEncoder::Multiply(const LinearWeights& linear, size_t tokens, const float* input,
                           float* output) {
  const auto out_size = static_cast<blasint>(linear.bias.size());
  const auto in_size = static_cast<blasint>(linear.weight.size() / linear.bias.size());
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<blasint>(tokens), out_size,
              in_size, 1.0f, input, in_size, linear.weight.data(), in_size, 0.0f, output, out_size);
}

void BertEncoder::AddAndNormalize(const LinearWeights& linear, const LayerNormWeights& norm,
                                  size_t tokens, const float* a, float* b) const {
  const size_t size = config_.hidden_size;
  const LayerNormView view = {norm.gain.data(), norm.shift.data(), config_.layer_norm_epsilon};
  for (size_t i = 0; i < tokens; ++i) {
    math_.add_bias(linear.bias.data(), size, b + i * size);
    math_.add_layer_norm(a + i * size, b + i * size, size, view, b + i * size);
  }
}

void BertEncoder::Embed(const TokenBatch& batch, Activations& a) const {
  const size_t size = config_.hidden_size;
  const LayerNormWeights& norm = weights_.embedding_norm;
  const LayerNormView view = {norm.gain.data(), norm.shift.data(), config_.layer_norm_epsilon};
  for (size_t sequence = 0; sequence < batch.sequences(); ++sequence) {
    const uint32_t start = batch.starts[sequence];
    for (uint32_t i = start; i < batch.starts[sequence + 1]; ++i) {
      math_.add_layer_norm(&weights_.word_embeddings[batch.ids[i] * size],
                           &weights_.position_embeddings[(i - start) * size], size, view,
                           &a.hidden[i * size]);
    }
  }
}

// query_key_value (tokens, 3 hidden) -> context (tokens, hidden)
void BertEncoder::Attend(const TokenBatch& batch, Activations& a) const {
  const size_t hidden = config_.hidden_size;
  const auto head_size = static_cast<blasint>(hidden / config_.heads);
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_size));
  const auto in_stride = static_cast<blasint>(3 * hidden);
  const auto out_stride = static_cast<blasint>(hidden);
  for (size_t sequence = 0; sequence < batch.sequences(); ++sequence) {
    const size_t start = batch.starts[sequence];
    const auto length = static_cast<blasint>(batch.starts[sequence + 1] - start);
    for (size_t head = 0; head < config_.heads; ++head) {
      const float* query = &a.query_key_value[start * 3 * hidden] + head * head_size;
      const float* key = query + hidden;
      const float* value = key + hidden;
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, length, length, head_size, scale, query,
                  in_stride, key, in_stride, 0.0f, a.scores.get(), length);
      for (blasint i = 0; i < length; ++i) {
        math_.softmax(length, &a.scores[static_cast<size_t>(i) * length]);
      }
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, length, head_size, length, 1.0f,
                  a.scores.get(), length, value, in_stride, 0.0f,
                  &a.context[start * hidden + head * head_size], out_stride);
    }
  }
}

void BertEncoder::RunLayer(const BertLayerWeights& layer, const TokenBatch& batch,
                           Activations& a) const {
  const size_t size = config_.hidden_size;
  Multiply(layer.query_key_value, a.tokens, a.hidden.get(), a.query_key_value.get());
  for (size_t i = 0; i < a.tokens; ++i) {
    math_.add_bias(layer.query_key_value.bias.data(), 3 * size, &a.query_key_value[i * 3 * size]);
  }
  Attend(batch, a);
  Multiply(layer.attention_output, a.tokens, a.context.get(), a.projected.get());
  AddAndNormalize(layer.attention_output, layer.attention_norm, a.tokens, a.hidden.get(),
                  a.projected.get());
  Multiply(layer.intermediate, a.tokens, a.projected.get(), a.intermediate.get());
  const size_t wide = config_.intermediate_size;
  for (size_t i = 0; i < a.tokens; ++i) {
    math_.add_bias_gelu(layer.intermediate.bias.data(), wide, &a.intermediate[i * wide]);
  }
  Multiply(layer.output, a.tokens, a.intermediate.get(), a.hidden.get());
  AddAndNormalize(layer.output, layer.output_norm, a.tokens, a.projected.get(), a.hidden.get());
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
    for (size_t i = start + 1; i < end; ++i) math_.add_bias(&a.hidden[i * size], size, vector);
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
  for (const BertLayerWeights& layer : weights_.layers) RunLayer(layer, batch, a);
  Pool(batch, a, vectors);
}

}  // namespace vettore
