#include "types/collection_config.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "base/status.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "types/faiss_factory.h"
#include "types/limits.h"
#include "types/name.h"

namespace vettore {
namespace {

constexpr std::array kPayloadIndexKinds = {PayloadIndexKind::kKeyword, PayloadIndexKind::kInteger,
                                           PayloadIndexKind::kFloat, PayloadIndexKind::kBool};

constexpr std::array kIvfEncodings = {IvfEncoding::kFlat, IvfEncoding::kPq4, IvfEncoding::kPq8,
                                      IvfEncoding::kRaBitQ};

struct Range {
  uint32_t low, high;
};

absl::Status CheckRange(std::string_view what, uint32_t value, Range range) {
  if (value >= range.low && value <= range.high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat(what, ": wanted ", range.low, " to ", range.high, ", got ", value));
}

absl::Status CheckCount(std::string_view what, size_t count, size_t limit) {
  if (count <= limit) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat(what, ": at most ", limit, ", got ", count));
}

absl::Status CheckFieldPath(std::string_view what, std::string_view path) {
  if (path.empty() || path.size() > limits::kFieldBytes) {
    return absl::InvalidArgumentError(StrCat(what, ": a field's path has 1 to ",
                                             limits::kFieldBytes, " bytes, got ", path.size()));
  }
  if (!IsValidUtf8(path)) {
    return absl::InvalidArgumentError(
        StrCat(what, ": '", absl::CHexEscape(AbslView(path)), "' is not UTF-8"));
  }
  return absl::OkStatus();
}

absl::Status CheckIndex(const FlatConfig&, uint32_t /*dimension*/) { return absl::OkStatus(); }

absl::Status CheckIndex(const HnswConfig& hnsw, uint32_t /*dimension*/) {
  VETTORE_RETURN_IF_ERROR(CheckRange("hnsw.m", hnsw.m, {limits::kMinM, limits::kMaxM}));
  VETTORE_RETURN_IF_ERROR(
      CheckRange("hnsw.ef_construction", hnsw.ef_construction, {hnsw.m, limits::kEfConstruction}));
  return CheckRange("hnsw.ef_search", hnsw.ef_search, {1, limits::kEfSearch});
}

// The divisors of the dimension, of which a message shows the nearest few.
std::string DivisorsNear(uint32_t dimension, uint32_t wanted) {
  std::vector<uint32_t> divisors;
  for (uint32_t divisor = 1; divisor <= dimension; ++divisor) {
    if (dimension % divisor == 0) divisors.push_back(divisor);
  }
  const auto distance = [wanted](uint32_t divisor) {
    return divisor > wanted ? divisor - wanted : wanted - divisor;
  };
  std::stable_sort(divisors.begin(), divisors.end(),
                   [&](uint32_t a, uint32_t b) { return distance(a) < distance(b); });
  constexpr size_t kShown = 8;
  if (divisors.size() > kShown) divisors.resize(kShown);
  std::sort(divisors.begin(), divisors.end());
  std::string text;
  for (const uint32_t divisor : divisors) text += StrCat(text.empty() ? "" : ", ", divisor);
  return text;
}

absl::Status CheckIndex(const IvfConfig& ivf, uint32_t dimension) {
  VETTORE_RETURN_IF_ERROR(CheckRange("ivf.nlist", ivf.nlist, {0, limits::kNlist}));
  VETTORE_RETURN_IF_ERROR(
      CheckRange("ivf.nprobe", ivf.nprobe, {0, ivf.nlist == 0 ? limits::kNprobe : ivf.nlist}));
  if (ivf.encoding == IvfEncoding::kFlat || ivf.encoding == IvfEncoding::kRaBitQ) {
    if (ivf.opq) {
      return absl::InvalidArgumentError(
          StrCat("ivf.opq: wanted false (it goes with the encodings pq4 and pq8), got true with ",
                 NameOf(ivf.encoding)));
    }
    return CheckRange(StrCat("ivf.pq_m (of the encoding ", NameOf(ivf.encoding), ")"), ivf.pq_m,
                      {0, 0});
  }
  if (ivf.opq) {
    VETTORE_RETURN_IF_ERROR(
        CheckRange("ivf.opq: the dimension", dimension, {1, limits::kOpqDimension}));
  }
  if (ivf.pq_m == 0 || (ivf.pq_m <= dimension && dimension % ivf.pq_m == 0)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(StrCat("ivf.pq_m: wanted 0 or a divisor of the dimension ",
                                           dimension, " (as ", DivisorsNear(dimension, ivf.pq_m),
                                           "), got ", ivf.pq_m));
}

absl::Status CheckIndex(const FaissConfig& faiss, uint32_t dimension) {
  VETTORE_RETURN_IF_ERROR(ParseFaissFactory(faiss.factory, dimension).status());
  VETTORE_RETURN_IF_ERROR(CheckFaissParameters(faiss.search_parameters));
  return CheckRange("faiss.rerank", faiss.rerank, {0, limits::kFaissRerank});
}

absl::Status CheckVector(const VectorConfig& vector) {
  if (!vector.name.empty()) {
    VETTORE_RETURN_IF_ERROR(Name::Parse(vector.name, "name").status());
  }
  VETTORE_RETURN_IF_ERROR(CheckRange("dimension", vector.dimension, {1, limits::kDimension}));
  VETTORE_RETURN_IF_ERROR(std::visit(
      [&vector](const auto& index) { return CheckIndex(index, vector.dimension); }, vector.index));
  if (!vector.model) return absl::OkStatus();
  VETTORE_RETURN_IF_ERROR(Name::Parse(vector.model->name, "model.name").status());
  return CheckFieldPath("model.text_field", vector.model->text_field);
}

absl::Status CheckVectors(const std::vector<VectorConfig>& vectors) {
  VETTORE_RETURN_IF_ERROR(CheckCount("vectors", vectors.size(), limits::kVectorsPerCollection));
  absl::flat_hash_set<std::string_view> names;
  for (const VectorConfig& vector : vectors) {
    const std::string where = StrCat(
        "vector '", absl::CHexEscape(AbslView(vector.name.substr(0, limits::kNameBytes))), "'");
    VETTORE_RETURN_IF_ERROR(Annotate(CheckVector(vector), where));
    if (!names.insert(vector.name).second) {
      return absl::InvalidArgumentError(
          StrCat(where, ": two vectors have this name, names must differ"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPayloadIndexes(const std::vector<PayloadIndexConfig>& indexes) {
  VETTORE_RETURN_IF_ERROR(CheckCount("payload_indexes", indexes.size(), limits::kPayloadIndexes));
  absl::flat_hash_set<std::string_view> fields;
  for (const PayloadIndexConfig& index : indexes) {
    VETTORE_RETURN_IF_ERROR(CheckFieldPath("payload_indexes.field", index.field));
    if (!fields.insert(index.field).second) {
      return absl::InvalidArgumentError(StrCat("payload_indexes: field '", index.field,
                                               "' is indexed twice, one index serves it"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckDocuments(const CollectionConfig& config) {
  const VectorConfig* vector = config.FindVector("");
  if (vector == nullptr || !vector->model) {
    return absl::InvalidArgumentError(
        "documents: a collection of documents needs a default vector (name \"\") with a model");
  }
  const ChunkingConfig& chunking = *config.documents;
  if (chunking.max_tokens == 0) {
    return CheckRange("documents.overlap_tokens", chunking.overlap_tokens,
                      {0, limits::kMaxChunkTokens / 2 - 1});
  }
  VETTORE_RETURN_IF_ERROR(CheckRange("documents.max_tokens (or 0 for the model's limit)",
                                     chunking.max_tokens,
                                     {limits::kMinChunkTokens, limits::kMaxChunkTokens}));
  return CheckRange("documents.overlap_tokens (less than half of max_tokens)",
                    chunking.overlap_tokens, {0, (chunking.max_tokens - 1) / 2});
}

}  // namespace

std::string_view NameOf(IvfEncoding encoding) {
  switch (encoding) {
    case IvfEncoding::kFlat:
      return "flat";
    case IvfEncoding::kPq4:
      return "pq4";
    case IvfEncoding::kPq8:
      return "pq8";
    case IvfEncoding::kRaBitQ:
      return "rabitq";
  }
  return "";
}

absl::StatusOr<IvfEncoding> ParseIvfEncoding(std::string_view name) {
  for (const IvfEncoding encoding : kIvfEncodings) {
    if (name == NameOf(encoding)) return encoding;
  }
  return absl::InvalidArgumentError(StrCat("ivf encoding: wanted flat, pq4, pq8 or rabitq, got '",
                                           absl::CHexEscape(AbslView(name.substr(0, 64))), "'"));
}

std::string_view NameOf(PayloadIndexKind kind) {
  switch (kind) {
    case PayloadIndexKind::kKeyword:
      return "keyword";
    case PayloadIndexKind::kInteger:
      return "integer";
    case PayloadIndexKind::kFloat:
      return "float";
    case PayloadIndexKind::kBool:
      return "bool";
  }
  return "";
}

absl::StatusOr<PayloadIndexKind> ParsePayloadIndexKind(std::string_view name) {
  for (const PayloadIndexKind kind : kPayloadIndexKinds) {
    if (name == NameOf(kind)) return kind;
  }
  return absl::InvalidArgumentError(
      StrCat("payload index kind: wanted keyword, integer, float or bool, got '",
             absl::CHexEscape(AbslView(name.substr(0, 64))), "'"));
}

const VectorConfig* CollectionConfig::FindVector(std::string_view name) const {
  const auto found = std::find_if(vectors.begin(), vectors.end(),
                                  [name](const VectorConfig& v) { return v.name == name; });
  return found == vectors.end() ? nullptr : &*found;
}

absl::Status ValidateCollectionConfig(const CollectionConfig& config) {
  VETTORE_RETURN_IF_ERROR(CheckVectors(config.vectors));
  VETTORE_RETURN_IF_ERROR(CheckPayloadIndexes(config.payload_indexes));
  return config.documents ? CheckDocuments(config) : absl::OkStatus();
}

std::string_view KindOf(const IndexConfig& config) {
  struct Kind {
    std::string_view operator()(const FlatConfig&) const { return "flat"; }
    std::string_view operator()(const HnswConfig&) const { return "hnsw"; }
    std::string_view operator()(const IvfConfig&) const { return "ivf"; }
    std::string_view operator()(const FaissConfig&) const { return "faiss"; }
  };
  return std::visit(Kind{}, config);
}

}  // namespace vettore
