// The forward pass of a BERT encoder in f32, without padding.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "embed/bert_weights.h"
#include "embed/linear_layer.h"
#include "embed/model_config.h"
#include "embed/vector_math.h"

namespace vettore {

// Token sequences, one after the other.
struct TokenBatch {
  std::span<const uint32_t> ids;  // (tokens), each below the vocabulary's size
  std::span<const uint32_t>
      starts;  // (sequences + 1): sequence i is ids[starts[i], starts[i + 1]), not empty
  size_t sequences() const { return starts.size() - 1; }
};

// Devlin et al. (2019). Immutable; thread-safe; works on the thread that calls.
class BertEncoder {
 public:
  BertEncoder(const BertConfig& config, BertWeights weights, Pooling pooling);

  // vectors: (sequences, hidden), each the mean of its sequence's last hidden states or the first
  // of them. A sequence has at most max_positions tokens.
  void Forward(const TokenBatch& batch, std::span<float> vectors) const;

 private:
  struct Layer {
    explicit Layer(BertLayerWeights weights);

    LinearLayer query_key_value;
    LinearLayer attention_output;
    LayerNormWeights attention_norm;
    LinearLayer intermediate;
    LinearLayer output;
    LayerNormWeights output_norm;
  };
  struct Activations;

  void Embed(const TokenBatch& batch, Activations& a) const;
  void RunLayer(const Layer& layer, const TokenBatch& batch, Activations& a) const;
  // hidden (rows, hidden) becomes what the layer makes of it, given the attention's context (rows,
  // hidden); of so few tokens that all of it stays in the cache.
  void RunBlock(const Layer& layer, size_t rows, const float* context, Activations& a,
                float* hidden) const;
  void Pool(const TokenBatch& batch, const Activations& a, std::span<float> vectors) const;
  // b: (rows, hidden) = norm(a + b)
  void AddAndNormalize(const LayerNormWeights& norm, size_t rows, const float* a, float* b) const;

  const BertConfig config_;
  const std::vector<float> word_embeddings_;
  const std::vector<float> position_embeddings_;
  const LayerNormWeights embedding_norm_;
  std::vector<Layer> layers_;
  const Pooling pooling_;
  const VectorMath& math_;
};

}  // namespace vettore
