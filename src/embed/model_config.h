// What the JSON files of a model directory say about the model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "embed/embedder.h"

namespace vettore {

// The shape of a BERT encoder: config.json.
struct BertConfig {
  uint32_t vocabulary_size = 0;
  uint32_t hidden_size = 0;
  uint32_t layers = 0;
  uint32_t heads = 0;
  uint32_t intermediate_size = 0;
  uint32_t max_positions = 0;
  uint32_t token_types = 2;
  float layer_norm_epsilon = 1e-12f;
};

struct ModelConfig {
  BertConfig bert;
  std::filesystem::path transformer_dir;  // Where config.json, the weights and the tokeniser lie.
  Pooling pooling = Pooling::kMean;
  bool normalized = false;
  bool lowercases = false;  // sentence_bert_config.json asks for it; the tokeniser must do it.
  uint32_t max_tokens = 0;
  std::string query_prompt, document_prompt;
};

// Reads config.json (model_type bert), modules.json with the modules it names (Transformer, Pooling
// by mean or CLS, Normalize), sentence_bert_config.json, tokenizer_config.json and
// config_sentence_transformers.json, where they are. Without modules.json: mean pooling, vectors as
// they come. InvalidArgument names the file and what is not supported.
absl::StatusOr<ModelConfig> ReadModelConfig(const std::filesystem::path& model_dir);

}  // namespace vettore
