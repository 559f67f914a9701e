#include "embed/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_join.h"
#include "base/status.h"
#include "base/strings.h"
#include "embed/float_formats.h"
#include "types/json.h"

namespace vettore {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensors are read as they lie in the file");

constexpr uint64_t kMaxHeaderBytes = 100 << 20;  // As the reference implementation.
constexpr size_t kMaxRank = 8;

struct DtypeSize {
  std::string_view name;
  uint64_t bytes;
};
constexpr DtypeSize kDtypes[] = {{"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8},
                                 {"I32", 4}, {"I16", 2}, {"I8", 1},  {"U64", 8},  {"U32", 4},
                                 {"U16", 2}, {"U8", 1},  {"BOOL", 1}};

std::optional<uint64_t> BytesOf(std::string_view dtype) {
  for (const DtypeSize& known : kDtypes) {
    if (known.name == dtype) return known.bytes;
  }
  return std::nullopt;
}

std::string ShapeText(std::span<const uint64_t> shape) {
  return StrCat("[", absl::StrJoin(shape, ", "), "]");
}

std::optional<std::vector<uint64_t>> UnsignedList(const Json* list) {
  if (list == nullptr || !list->is_array()) return std::nullopt;
  std::vector<uint64_t> values;
  for (const Json& value : *list) {
    if (!value.is_number_unsigned()) return std::nullopt;
    values.push_back(value.get<uint64_t>());
  }
  return values;
}

const Json* Field(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

// Parses the header entry of one tensor; `data` is what follows the header in the file.
absl::StatusOr<SafetensorsFile::Tensor> ParseTensor(const Json& entry, std::string_view data,
                                                    const std::string& where) {
  const auto error = [&](std::string_view what) {
    return absl::InvalidArgumentError(StrCat(where, ": ", what));
  };
  if (!entry.is_object()) return error("its header entry is no object");
  const Json* dtype = Field(entry, "dtype");
  if (dtype == nullptr || !dtype->is_string()) return error("its dtype is missing");
  SafetensorsFile::Tensor tensor;
  tensor.dtype = dtype->get<std::string>();
  const std::optional<uint64_t> element_bytes = BytesOf(tensor.dtype);
  if (!element_bytes.has_value()) return error(StrCat("unknown dtype '", tensor.dtype, "'"));
  const auto shape = UnsignedList(Field(entry, "shape"));
  if (!shape.has_value() || shape->size() > kMaxRank) {
    return error(StrCat("its shape is no list of at most ", kMaxRank, " sizes"));
  }
  tensor.shape = *shape;
  const auto offsets = UnsignedList(Field(entry, "data_offsets"));
  if (!offsets.has_value() || offsets->size() != 2 || (*offsets)[0] > (*offsets)[1]) {
    return error("its data_offsets are no [begin, end)");
  }
  const uint64_t begin = (*offsets)[0];
  const uint64_t end = (*offsets)[1];
  uint64_t wanted = *element_bytes;
  for (uint64_t size : tensor.shape) {
    if (__builtin_mul_overflow(wanted, size, &wanted)) {
      return error(StrCat("its shape ", ShapeText(tensor.shape), " is past 64 bits"));
    }
  }
  if (end - begin != wanted) {
    return error(StrCat("shape ", ShapeText(tensor.shape), " of ", tensor.dtype, " takes ", wanted,
                        " bytes, its data_offsets hold ", end - begin));
  }
  if (end > data.size()) {
    return absl::DataLossError(StrCat(where, ": ends at byte ", end, " of the data, the file has ",
                                      data.size(),
                                      " bytes of data: it is truncated; fetch the model again"));
  }
  tensor.bytes = data.substr(begin, wanted);
  return tensor;
}

absl::Status CheckOverlap(
    const std::map<std::string, SafetensorsFile::Tensor, std::less<>>& tensors,
    const std::string& path) {
  std::vector<std::pair<std::string_view, std::string_view>> spans;  // bytes, name
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.bytes.empty()) spans.emplace_back(tensor.bytes, name);
  }
  std::sort(spans.begin(), spans.end(),
            [](const auto& a, const auto& b) { return a.first.data() < b.first.data(); });
  for (size_t i = 1; i < spans.size(); ++i) {
    const std::string_view before = spans[i - 1].first;
    if (before.data() + before.size() > spans[i].first.data()) {
      return absl::InvalidArgumentError(StrCat(path, ": tensors '", spans[i - 1].second, "' and '",
                                               spans[i].second, "' overlap"));
    }
  }
  return absl::OkStatus();
}

// The header's JSON text.
absl::StatusOr<std::string_view> HeaderOf(std::string_view text, const std::string& path) {
  if (text.size() < 8) {
    return absl::DataLossError(StrCat(path, ": ", text.size(),
                                      " bytes are too few for a safetensors file; fetch it again"));
  }
  uint64_t header_bytes;
  std::memcpy(&header_bytes, text.data(), sizeof header_bytes);
  if (header_bytes > kMaxHeaderBytes) {
    return absl::InvalidArgumentError(StrCat(path, ": its header claims ", header_bytes,
                                             " bytes, the limit is ", kMaxHeaderBytes,
                                             ": not a safetensors file"));
  }
  if (header_bytes > text.size() - 8) {
    return absl::DataLossError(StrCat(path, ": its header claims ", header_bytes,
                                      " bytes, the file has ", text.size(),
                                      ": it is truncated; fetch the model again"));
  }
  return text.substr(8, header_bytes);
}

template <typename Narrow, typename Widen>
void Expand(std::string_view bytes, const Widen& widen, std::vector<float>& out) {
  for (size_t i = 0; i < out.size(); ++i) {
    Narrow value;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    out[i] = widen(value);
  }
}

}  // namespace

absl::StatusOr<SafetensorsFile> SafetensorsFile::Open(const std::filesystem::path& path) {
  absl::StatusOr<MappedFile> mapped = MappedFile::Open(path);
  if (absl::IsNotFound(mapped.status())) {
    return absl::InvalidArgumentError(StrCat(path.string(), ": the file is missing"));
  }
  VETTORE_ASSIGN_OR_RETURN(MappedFile file, std::move(mapped));
  VETTORE_ASSIGN_OR_RETURN(const std::string_view header, HeaderOf(file.text(), path.string()));
  const std::string_view data = file.text().substr(8 + header.size());
  const Json json = Json::parse(header, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return absl::InvalidArgumentError(StrCat(path.string(), ": its header is no JSON object"));
  }
  Tensors tensors;
  for (const auto& [name, entry] : json.items()) {
    if (name == "__metadata__") continue;
    VETTORE_ASSIGN_OR_RETURN(
        Tensor tensor, ParseTensor(entry, data, StrCat(path.string(), ": tensor '", name, "'")));
    tensors.emplace(name, std::move(tensor));
  }
  VETTORE_RETURN_IF_ERROR(CheckOverlap(tensors, path.string()));
  return SafetensorsFile(path.string(), std::move(file), std::move(tensors));
}

const SafetensorsFile::Tensor* SafetensorsFile::Find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

absl::StatusOr<std::vector<float>> SafetensorsFile::Read(std::string_view name,
                                                         std::span<const uint64_t> shape) const {
  const Tensor* tensor = Find(name);
  if (tensor == nullptr) {
    return absl::InvalidArgumentError(
        StrCat(path_, ": tensor '", name, "' of shape ", ShapeText(shape), " is missing"));
  }
  if (!std::equal(shape.begin(), shape.end(), tensor->shape.begin(), tensor->shape.end())) {
    return absl::InvalidArgumentError(StrCat(path_, ": tensor '", name,
                                             "': config.json asks for shape ", ShapeText(shape),
                                             ", found ", ShapeText(tensor->shape)));
  }
  size_t count = 1;
  for (uint64_t size : shape) count *= size;
  std::vector<float> values(count);
  if (tensor->dtype == "F32") {
    if (count > 0) std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
  } else if (tensor->dtype == "F16") {
    Expand<uint16_t>(tensor->bytes, FloatOfF16, values);
  } else if (tensor->dtype == "BF16") {
    Expand<uint16_t>(tensor->bytes, FloatOfBf16, values);
  } else {
    return absl::InvalidArgumentError(StrCat(path_, ": tensor '", name, "': dtype ", tensor->dtype,
                                             " is not supported, only F32, F16 and BF16"));
  }
  return values;
}

}  // namespace vettore
