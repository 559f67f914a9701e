// The forward pass of a BERT encoder in f32, without padding.
#pragma once

#include <cstdint>
#include <span>

#include "embed/bert_weights.h"
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
  struct Activations;

  void Embed(const TokenBatch& batch, Activations& a) const;
  void RunLayer(const BertLayerWeights& layer, const TokenBatch& batch, Activations& a) const;
  void Attend(const TokenBatch& batch, Activations& a) const;
  void Pool(const TokenBatch& batch, const Activations& a, std::span<float> vectors) const;
  // output: (tokens, out) = input W^T, without the bias. input: (tokens, in)
  static void Multiply(const LinearWeights& linear, size_t tokens, const float* input,
                       float* output);
  // a: (tokens, hidden) = norm(a + bias + b)
  void AddAndNormalize(const LinearWeights& linear, const LayerNormWeights& norm, size_t tokens,
                       const float* a, float* b) const;

  const BertConfig config_;
  const BertWeights weights_;
  const Pooling pooling_;
  const VectorMath& math_;
};

}  // namespace vettore
