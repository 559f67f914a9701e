#include "embed/bert_weights.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "base/hash.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

// Reads tensors one after the other and remembers what it read.
class Reader {
 public:
  Reader(const SafetensorsFile& file, const BertConfig& config)
      : file_(file),
        hidden_(config.hidden_size),
        prefix_(file.Find("bert.embeddings.word_embeddings.weight") != nullptr ? "bert." : "") {}

  absl::Status Read(std::string_view name, std::initializer_list<uint64_t> shape,
                    std::vector<float>& out) {
    const std::string full_name = StrCat(prefix_, name);
    VETTORE_ASSIGN_OR_RETURN(out, file_.Read(full_name, {shape.begin(), shape.size()}));
    if (!std::all_of(out.begin(), out.end(), [](float x) { return std::isfinite(x); })) {
      return absl::DataLossError(StrCat(file_.path(), ": tensor '", full_name,
                                        "' holds NaN or infinity; fetch the model again"));
    }
    const SafetensorsFile::Tensor& tensor = *file_.Find(full_name);
    parts_.insert(parts_.end(), {name_storage_.emplace_back(name), tensor.dtype, tensor.bytes});
    parameters_ += out.size();
    return absl::OkStatus();
  }

  absl::Status ReadLinear(std::string_view name, uint64_t outputs, uint64_t inputs,
                          LinearWeights& linear) {
    VETTORE_RETURN_IF_ERROR(Read(StrCat(name, ".weight"), {outputs, inputs}, linear.weight));
    return Read(StrCat(name, ".bias"), {outputs}, linear.bias);
  }

  absl::Status ReadNorm(std::string_view name, LayerNormWeights& norm) {
    // Old checkpoints name them as TensorFlow did.
    const bool is_old = file_.Find(StrCat(prefix_, name, ".gamma")) != nullptr;
    VETTORE_RETURN_IF_ERROR(
        Read(StrCat(name, is_old ? ".gamma" : ".weight"), {hidden_}, norm.gain));
    return Read(StrCat(name, is_old ? ".beta" : ".bias"), {hidden_}, norm.shift);
  }

  uint64_t parameters() const { return parameters_; }
  std::string Fingerprint() const { return ::vettore::Fingerprint(parts_); }

 private:
  const SafetensorsFile& file_;
  const uint64_t hidden_;
  const std::string prefix_;
  std::deque<std::string> name_storage_;  // Does not move what parts_ borrows.
  std::vector<std::string_view> parts_;
  uint64_t parameters_ = 0;
};

void Append(const LinearWeights& part, LinearWeights& whole) {
  whole.weight.insert(whole.weight.end(), part.weight.begin(), part.weight.end());
  whole.bias.insert(whole.bias.end(), part.bias.begin(), part.bias.end());
}

absl::Status ReadLayer(Reader& reader, const BertConfig& config, std::string_view name,
                       BertLayerWeights& layer) {
  const uint64_t hidden = config.hidden_size;
  layer.query_key_value.weight.reserve(3 * hidden * hidden);
  for (std::string_view part : {"query", "key", "value"}) {
    LinearWeights linear;
    VETTORE_RETURN_IF_ERROR(
        reader.ReadLinear(StrCat(name, ".attention.self.", part), hidden, hidden, linear));
    Append(linear, layer.query_key_value);
  }
  VETTORE_RETURN_IF_ERROR(reader.ReadLinear(StrCat(name, ".attention.output.dense"), hidden, hidden,
                                            layer.attention_output));
  VETTORE_RETURN_IF_ERROR(
      reader.ReadNorm(StrCat(name, ".attention.output.LayerNorm"), layer.attention_norm));
  VETTORE_RETURN_IF_ERROR(reader.ReadLinear(StrCat(name, ".intermediate.dense"),
                                            config.intermediate_size, hidden, layer.intermediate));
  VETTORE_RETURN_IF_ERROR(reader.ReadLinear(StrCat(name, ".output.dense"), hidden,
                                            config.intermediate_size, layer.output));
  return reader.ReadNorm(StrCat(name, ".output.LayerNorm"), layer.output_norm);
}

absl::Status ReadEmbeddings(Reader& reader, const BertConfig& config, BertWeights& weights) {
  const uint64_t hidden = config.hidden_size;
  VETTORE_RETURN_IF_ERROR(reader.Read("embeddings.word_embeddings.weight",
                                      {config.vocabulary_size, hidden}, weights.word_embeddings));
  VETTORE_RETURN_IF_ERROR(reader.Read("embeddings.position_embeddings.weight",
                                      {config.max_positions, hidden}, weights.position_embeddings));
  std::vector<float> token_types;
  VETTORE_RETURN_IF_ERROR(reader.Read("embeddings.token_type_embeddings.weight",
                                      {config.token_types, hidden}, token_types));
  for (size_t i = 0; i < weights.position_embeddings.size(); ++i) {
    weights.position_embeddings[i] += token_types[i % hidden];
  }
  return reader.ReadNorm("embeddings.LayerNorm", weights.embedding_norm);
}

}  // namespace

absl::StatusOr<BertWeights> ReadBertWeights(const SafetensorsFile& file, const BertConfig& config) {
  BertWeights weights;
  Reader reader(file, config);
  VETTORE_RETURN_IF_ERROR(ReadEmbeddings(reader, config, weights));
  for (uint32_t i = 0; i < config.layers; ++i) {
    BertLayerWeights& layer = weights.layers.emplace_back();
    VETTORE_RETURN_IF_ERROR(ReadLayer(reader, config, StrCat("encoder.layer.", i), layer));
  }
  weights.parameters = reader.parameters();
  weights.fingerprint = reader.Fingerprint();
  return weights;
}

}  // namespace vettore
