// A BERT model small enough for tests, with random weights and the golden tokeniser, written as
// Hugging Face does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "embed/model_config.h"
#include "types/json.h"

namespace vettore {

enum class FloatFormat { kF32, kF16, kBf16 };

struct TestTensor {
  std::vector<uint64_t> shape;
  std::vector<float> values;
};
using TestTensors = std::map<std::string, TestTensor>;

std::filesystem::path GoldenDirectory();
std::string ReadOrDie(const std::filesystem::path& path);
void Write(const std::filesystem::path& path, std::string_view contents);

// A .safetensors file: `data` holds the values in the order of names.
std::string SafetensorsBytes(const Json& header, std::string_view data);
std::string SafetensorsBytes(const TestTensors& tensors, FloatFormat format);

struct TinyModelOptions {
  FloatFormat format = FloatFormat::kF32;
  std::string prefix = {};  // Of the tensor names.
  bool is_cls = false;
  uint32_t max_tokens = 64;
};

// Two layers, four heads of eight. Values are multiples of 1/128 below 1, which f16 and bf16 hold
// as well as f32 does.
class TinyModel {
 public:
  // Writes the files into `dir`.
  TinyModel(std::filesystem::path dir, const TinyModelOptions& options = {});

  const std::filesystem::path& dir() const { return dir_; }
  const BertConfig& config() const { return config_; }
  const TestTensors& tensors() const { return tensors_; }

  // The definition, in double: (hidden) the unit-length pooled vector of one sequence.
  std::vector<double> Embed(const std::vector<uint32_t>& ids) const;

 private:
  std::vector<double> Linear(const std::string& name, const std::vector<double>& x,
                             size_t rows) const;
  void AddAndNormalize(const std::string& name, const std::vector<double>& x,
                       std::vector<double>& y) const;
  void Attend(std::string_view layer, size_t rows, std::vector<double>& x) const;

  std::filesystem::path dir_;
  TinyModelOptions options_;
  BertConfig config_;
  TestTensors tensors_;
};

}  // namespace vettore
