// The parameters of a BERT encoder, as the forward pass wants them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "embed/model_config.h"
#include "embed/safetensors.h"

namespace vettore {

// y = x W^T + bias
struct LinearWeights {
  std::vector<float> weight;  // (out, in)
  std::vector<float> bias;    // (out)
};

struct LayerNormWeights {
  std::vector<float> gain, shift;  // (hidden)
};

struct BertLayerWeights {
  LinearWeights query_key_value;  // (3 hidden, hidden): the three matrices, one under the other
  LinearWeights attention_output;
  LayerNormWeights attention_norm;
  LinearWeights intermediate;
  LinearWeights output;
  LayerNormWeights output_norm;
};

struct BertWeights {
  std::vector<float> word_embeddings;      // (vocabulary, hidden)
  std::vector<float> position_embeddings;  // (positions, hidden), that of token type 0 added
  LayerNormWeights embedding_norm;
  std::vector<BertLayerWeights> layers;
  uint64_t parameters = 0;
  std::string fingerprint;  // Of the tensors' bytes.
};

// Tensor names with or without "bert." in front; other tensors of the file (pooler, heads) are not
// read. InvalidArgument or DataLoss names the tensor that is missing, of another shape or not
// finite.
absl::StatusOr<BertWeights> ReadBertWeights(const SafetensorsFile& file, const BertConfig& config);

}  // namespace vettore
