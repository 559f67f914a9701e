#include "embed/tiny_model.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

#include "base/strings.h"
#include "support/zstd_file.h"

namespace vettore {
namespace {

// Values that f16 and bf16 hold exactly: multiples of 1/128 below 1.
std::vector<float> RandomValues(size_t count, std::mt19937& random) {
  std::vector<float> values(count);
  for (float& value : values)
    value = static_cast<float>(static_cast<int>(random() % 65) - 32) / 128;
  return values;
}

uint16_t Narrow(float value, FloatFormat format) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (format == FloatFormat::kBf16) return static_cast<uint16_t>(bits >> 16);
  if (value == 0) return 0;
  const uint32_t exponent = (bits >> 23 & 0xFF) - 112;
  return static_cast<uint16_t>((bits >> 16 & 0x8000) | exponent << 10 | (bits >> 13 & 0x3FF));
}

}  // namespace

std::filesystem::path GoldenDirectory() { return SourceDirectory() / "tests/embed/golden"; }

std::string ReadOrDie(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void Write(const std::filesystem::path& path, std::string_view contents) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file << contents;
  EXPECT_TRUE(file.good()) << path;
}

std::string SafetensorsBytes(const Json& header, std::string_view data) {
  const std::string text = header.dump();
  const uint64_t size = text.size();
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof size);
  return bytes.append(text).append(data);
}

std::string SafetensorsBytes(const TestTensors& tensors, FloatFormat format) {
  Json header = {{"__metadata__", {{"format", "pt"}}}};
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const size_t begin = data.size();
    for (float value : tensor.values) {
      if (format == FloatFormat::kF32) {
        data.append(reinterpret_cast<const char*>(&value), sizeof value);
      } else {
        const uint16_t narrow = Narrow(value, format);
        data.append(reinterpret_cast<const char*>(&narrow), sizeof narrow);
      }
    }
    const char* dtype = format == FloatFormat::kF32   ? "F32"
                        : format == FloatFormat::kF16 ? "F16"
                                                      : "BF16";
    header[name] = {
        {"dtype", dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  return SafetensorsBytes(header, data);
}

TinyModel::TinyModel(std::filesystem::path dir, const TinyModelOptions& options)
    : dir_(std::move(dir)), options_(options) {
  const Json tokenizer = Json::parse(ReadOrDie(GoldenDirectory() / "tokenizer.json"));
  config_ = {.vocabulary_size = static_cast<uint32_t>(tokenizer["model"]["vocab"].size()),
             .hidden_size = 32,
             .layers = 2,
             .heads = 4,
             .intermediate_size = 52,
             .max_positions = 80};
  std::mt19937 random(7);
  const auto add = [&](const std::string& name, std::vector<uint64_t> shape) {
    size_t count = 1;
    for (uint64_t size : shape) count *= size;
    tensors_[options.prefix + name] = {std::move(shape), RandomValues(count, random)};
  };
  const uint64_t hidden = config_.hidden_size;
  add("embeddings.word_embeddings.weight", {config_.vocabulary_size, hidden});
  add("embeddings.position_embeddings.weight", {config_.max_positions, hidden});
  add("embeddings.token_type_embeddings.weight", {2, hidden});
  std::vector<std::string> norms = {"embeddings.LayerNorm"};
  for (uint32_t i = 0; i < config_.layers; ++i) {
    const std::string layer = StrCat("encoder.layer.", i);
    const auto linear = [&](std::string_view name, uint64_t out, uint64_t in) {
      add(StrCat(layer, name, ".weight"), {out, in});
      add(StrCat(layer, name, ".bias"), {out});
    };
    for (const char* part : {"query", "key", "value"}) {
      linear(StrCat(".attention.self.", part), hidden, hidden);
    }
    linear(".attention.output.dense", hidden, hidden);
    linear(".intermediate.dense", config_.intermediate_size, hidden);
    linear(".output.dense", hidden, config_.intermediate_size);
    norms.push_back(layer + ".attention.output.LayerNorm");
    norms.push_back(layer + ".output.LayerNorm");
  }
  for (const std::string& norm : norms) {
    add(norm + ".weight", {hidden});
    add(norm + ".bias", {hidden});
  }

  const Json config = {{"model_type", "bert"},
                       {"vocab_size", config_.vocabulary_size},
                       {"hidden_size", config_.hidden_size},
                       {"num_hidden_layers", config_.layers},
                       {"num_attention_heads", config_.heads},
                       {"intermediate_size", config_.intermediate_size},
                       {"max_position_embeddings", config_.max_positions},
                       {"layer_norm_eps", 1e-12},
                       {"hidden_act", "gelu"}};
  const Json modules = {
      {{"idx", 0}, {"path", ""}, {"type", "sentence_transformers.models.Transformer"}},
      {{"idx", 1}, {"path", "1_Pooling"}, {"type", "sentence_transformers.models.Pooling"}},
      {{"idx", 2}, {"path", "2_Normalize"}, {"type", "sentence_transformers.models.Normalize"}}};
  Write(dir_ / "config.json", config.dump());
  Write(dir_ / "modules.json", modules.dump());
  Write(dir_ / "1_Pooling/config.json", Json{{"pooling_mode_cls_token", options.is_cls},
                                             {"pooling_mode_mean_tokens", !options.is_cls}}
                                            .dump());
  Write(dir_ / "sentence_bert_config.json", Json{{"max_seq_length", options.max_tokens}}.dump());
  Write(dir_ / "tokenizer.json", tokenizer.dump());
  Write(dir_ / "model.safetensors", SafetensorsBytes(tensors_, options.format));
}

std::vector<double> TinyModel::Linear(const std::string& name, const std::vector<double>& x,
                                      size_t rows) const {
  const TestTensor& weight = tensors_.at(options_.prefix + name + ".weight");
  const TestTensor& bias = tensors_.at(options_.prefix + name + ".bias");
  const size_t in = weight.shape[1];
  const size_t out = weight.shape[0];
  std::vector<double> y(rows * out);
  for (size_t row = 0; row < rows; ++row) {
    for (size_t i = 0; i < out; ++i) {
      double sum = bias.values[i];
      for (size_t j = 0; j < in; ++j) sum += x[row * in + j] * weight.values[i * in + j];
      y[row * out + i] = sum;
    }
  }
  return y;
}

// y = norm(x + y)
void TinyModel::AddAndNormalize(const std::string& name, const std::vector<double>& x,
                                std::vector<double>& y) const {
  const size_t size = config_.hidden_size;
  const TestTensor& gain = tensors_.at(options_.prefix + name + ".weight");
  const TestTensor& shift = tensors_.at(options_.prefix + name + ".bias");
  for (size_t row = 0; row < y.size(); row += size) {
    double mean = 0;
    double variance = 0;
    for (size_t i = 0; i < size; ++i)
      mean += (y[row + i] += x[row + i]) / static_cast<double>(size);
    for (size_t i = 0; i < size; ++i)
      variance += std::pow(y[row + i] - mean, 2) / static_cast<double>(size);
    for (size_t i = 0; i < size; ++i) {
      y[row + i] =
          (y[row + i] - mean) / std::sqrt(variance + 1e-12) * gain.values[i] + shift.values[i];
    }
  }
}

void TinyModel::Attend(std::string_view layer, size_t rows, std::vector<double>& x) const {
  const size_t size = config_.hidden_size;
  const size_t head_size = size / config_.heads;
  const std::vector<double> query = Linear(StrCat(layer, ".attention.self.query"), x, rows);
  const std::vector<double> key = Linear(StrCat(layer, ".attention.self.key"), x, rows);
  const std::vector<double> value = Linear(StrCat(layer, ".attention.self.value"), x, rows);
  std::vector<double> context(rows * size);
  for (size_t head = 0; head < size; head += head_size) {
    for (size_t i = 0; i < rows; ++i) {
      std::vector<double> weights(rows);
      double sum = 0;
      for (size_t j = 0; j < rows; ++j) {
        double dot = 0;
        for (size_t d = head; d < head + head_size; ++d)
          dot += query[i * size + d] * key[j * size + d];
        sum += weights[j] = std::exp(dot / std::sqrt(static_cast<double>(head_size)));
      }
      for (size_t j = 0; j < rows; ++j) {
        for (size_t d = head; d < head + head_size; ++d) {
          context[i * size + d] += weights[j] / sum * value[j * size + d];
        }
      }
    }
  }
  std::vector<double> projected = Linear(StrCat(layer, ".attention.output.dense"), context, rows);
  AddAndNormalize(StrCat(layer, ".attention.output.LayerNorm"), x, projected);
  x = std::move(projected);
}

std::vector<double> TinyModel::Embed(const std::vector<uint32_t>& ids) const {
  const size_t size = config_.hidden_size;
  const size_t rows = ids.size();
  const auto tensor = [&](const char* name) -> const std::vector<float>& {
    return tensors_.at(options_.prefix + "embeddings." + name).values;
  };
  std::vector<double> x(rows * size);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<double>(tensor("word_embeddings.weight")[ids[i / size] * size + i % size]) +
           tensor("position_embeddings.weight")[i] +
           tensor("token_type_embeddings.weight")[i % size];
  }
  AddAndNormalize("embeddings.LayerNorm", std::vector<double>(x.size()), x);
  for (uint32_t i = 0; i < config_.layers; ++i) {
    const std::string layer = StrCat("encoder.layer.", i);
    Attend(layer, rows, x);
    std::vector<double> wide = Linear(layer + ".intermediate.dense", x, rows);
    for (double& v : wide) v = 0.5 * v * (1 + std::erf(v / std::sqrt(2.0)));
    std::vector<double> output = Linear(layer + ".output.dense", wide, rows);
    AddAndNormalize(layer + ".output.LayerNorm", x, output);
    x = std::move(output);
  }
  std::vector<double> vector(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(size));
  if (!options_.is_cls) {
    for (size_t i = size; i < x.size(); ++i) vector[i % size] += x[i];
  }
  double square = 0;
  for (double v : vector) square += v * v;
  for (double& v : vector) v /= std::sqrt(square);
  return vector;
}

}  // namespace vettore
