// The stored form of a collection's config:
//   {"vectors": [{"name", "dimension", "metric", "index", "model"}],
//    "payload_indexes": [{"field", "kind"}],
//    "documents": null or {"max_tokens", "overlap_tokens"}}
// index: {"kind": "flat"}
//   or {"kind": "hnsw", "m", "ef_construction", "ef_search"[, "quantization"]}
//   or {"kind": "ivf", "nlist", "nprobe", "encoding", "pq_m", "opq" (or absent: false)}
//   or {"kind": "faiss", "factory", "search_parameters", "rerank"}
// model: null or {"name", "fingerprint", "text_field"}
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "base/status.h"
#include "base/strings.h"
#include "types/collection_config.h"

namespace vettore {
namespace {

absl::Status Damaged(std::string_view where, std::string_view what) {
  return absl::DataLossError(StrCat("a stored collection config is damaged: ", where, ": ", what));
}

// Reads the members of one object; Finish() fails when a member was missing, of another kind, or
// never asked for.
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string_view where) : json_(json), where_(where) {
    if (!json.is_object()) status_ = Damaged(where_, "wanted an object");
  }

  std::string String(std::string_view key) {
    const Json* value = Take(key);
    if (value == nullptr) return "";
    if (!value->is_string()) return Fail<std::string>(key, "a string");
    return value->get<std::string>();
  }

  uint32_t Uint32(std::string_view key) {
    const Json* value = Take(key);
    if (value == nullptr) return 0;
    if (!value->is_number_integer() || *value < 0 ||
        *value > std::numeric_limits<uint32_t>::max()) {
      return Fail<uint32_t>(key, "an integer of 32 bits");
    }
    return value->get<uint32_t>();
  }

  // Of a key that may be absent, which is false.
  bool BoolOrFalse(std::string_view key) {
    if (!json_.contains(key)) return false;
    const Json* value = Take(key);
    if (value == nullptr) return false;
    return value->is_boolean() ? value->get<bool>() : Fail<bool>(key, "true or false");
  }

  // Of an array; empty on error.
  const Json& Array(std::string_view key) {
    static const Json kEmpty = Json::array();
    const Json* value = Take(key);
    if (value == nullptr) return kEmpty;
    if (value->is_array()) return *value;
    Fail<int>(key, "an array");
    return kEmpty;
  }

  // Of a key that may be absent.
  std::string StringOr(std::string_view key, std::string_view absent) {
    return json_.contains(key) ? String(key) : std::string(absent);
  }

  // Null where the stored value is null, and on error.
  const Json* Optional(std::string_view key) {
    const Json* value = Take(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  absl::Status Finish() const {
    if (!status_.ok() || taken_ == json_.size()) return status_;
    return Damaged(where_, StrCat("holds ", json_.size(), " members, this version knows ", taken_,
                                  " of them"));
  }

 private:
  // Each key is asked for once.
  const Json* Take(std::string_view key) {
    if (!status_.ok()) return nullptr;
    const auto member = json_.find(key);
    if (member == json_.end()) {
      status_ = Damaged(where_, StrCat("'", key, "' is missing"));
      return nullptr;
    }
    ++taken_;
    return &*member;
  }

  template <typename T>
  T Fail(std::string_view key, std::string_view wanted) {
    status_ = Damaged(where_, StrCat("'", key, "' is not ", wanted));
    return T();
  }

  const Json& json_;
  const std::string_view where_;
  size_t taken_ = 0;
  absl::Status status_;
};

Json IndexToJson(const FlatConfig&) { return {{"kind", "flat"}}; }

// Quantization is absent when it is "auto", as in what versions wrote that did not know it.
Json IndexToJson(const HnswConfig& hnsw) {
  Json json = {{"kind", "hnsw"},
               {"m", hnsw.m},
               {"ef_construction", hnsw.ef_construction},
               {"ef_search", hnsw.ef_search}};
  if (hnsw.quantization != Quantization::kAuto) json["quantization"] = NameOf(hnsw.quantization);
  return json;
}

Json IndexToJson(const IvfConfig& ivf) {
  Json json = {{"kind", "ivf"},
               {"nlist", ivf.nlist},
               {"nprobe", ivf.nprobe},
               {"encoding", NameOf(ivf.encoding)},
               {"pq_m", ivf.pq_m}};
  if (ivf.opq) json["opq"] = true;
  return json;
}

Json IndexToJson(const FaissConfig& faiss) {
  return {{"kind", "faiss"},
          {"factory", faiss.factory},
          {"search_parameters", faiss.search_parameters},
          {"rerank", faiss.rerank}};
}

absl::StatusOr<IndexConfig> IndexFromJson(const Json& json) {
  ObjectReader reader(json, "index");
  const std::string kind = reader.String("kind");
  IndexConfig index;
  if (kind == "flat") {
    index = FlatConfig{};
  } else if (kind == "hnsw") {
    HnswConfig hnsw;
    hnsw.m = reader.Uint32("m");
    hnsw.ef_construction = reader.Uint32("ef_construction");
    hnsw.ef_search = reader.Uint32("ef_search");
    const absl::StatusOr<Quantization> quantization =
        ParseQuantization(reader.StringOr("quantization", "auto"));
    if (!quantization.ok()) return Damaged("index", StdView(quantization.status().message()));
    hnsw.quantization = *quantization;
    index = hnsw;
  } else if (kind == "ivf") {
    IvfConfig ivf;
    ivf.nlist = reader.Uint32("nlist");
    ivf.nprobe = reader.Uint32("nprobe");
    const std::string encoding = reader.String("encoding");
    ivf.pq_m = reader.Uint32("pq_m");
    ivf.opq = reader.BoolOrFalse("opq");
    VETTORE_RETURN_IF_ERROR(reader.Finish());
    const absl::StatusOr<IvfEncoding> parsed = ParseIvfEncoding(encoding);
    if (!parsed.ok()) return Damaged("index", StdView(parsed.status().message()));
    ivf.encoding = *parsed;
    index = ivf;
  } else if (kind == "faiss") {
    FaissConfig faiss;
    faiss.factory = reader.String("factory");
    faiss.search_parameters = reader.String("search_parameters");
    faiss.rerank = reader.Uint32("rerank");
    index = std::move(faiss);
  } else {
    return Damaged("index", StrCat("no kind '", absl::CHexEscape(AbslView(kind.substr(0, 64))),
                                   "' in this version"));
  }
  VETTORE_RETURN_IF_ERROR(reader.Finish());
  return index;
}

absl::StatusOr<VectorModel> ModelFromJson(const Json& json) {
  ObjectReader reader(json, "model");
  VectorModel model;
  model.name = reader.String("name");
  model.fingerprint = reader.String("fingerprint");
  model.text_field = reader.String("text_field");
  VETTORE_RETURN_IF_ERROR(reader.Finish());
  return model;
}

Json VectorToJson(const VectorConfig& vector) {
  Json model;
  if (vector.model) {
    model = {{"name", vector.model->name},
             {"fingerprint", vector.model->fingerprint},
             {"text_field", vector.model->text_field}};
  }
  return {{"name", vector.name},
          {"dimension", vector.dimension},
          {"metric", NameOf(vector.metric)},
          {"index", std::visit([](const auto& index) { return IndexToJson(index); }, vector.index)},
          {"model", std::move(model)}};
}

absl::StatusOr<VectorConfig> VectorFromJson(const Json& json) {
  ObjectReader reader(json, "vector");
  VectorConfig vector;
  vector.name = reader.String("name");
  vector.dimension = reader.Uint32("dimension");
  const std::string metric = reader.String("metric");
  const Json* index = reader.Optional("index");
  const Json* model = reader.Optional("model");
  VETTORE_RETURN_IF_ERROR(reader.Finish());
  const absl::StatusOr<Metric> parsed = ParseMetric(metric);
  if (!parsed.ok()) return Damaged("vector", StdView(parsed.status().message()));
  vector.metric = *parsed;
  if (index == nullptr) return Damaged("vector", "'index' is null");
  VETTORE_ASSIGN_OR_RETURN(vector.index, IndexFromJson(*index));
  if (model != nullptr) {
    VETTORE_ASSIGN_OR_RETURN(vector.model, ModelFromJson(*model));
  }
  return vector;
}

absl::StatusOr<PayloadIndexConfig> PayloadIndexFromJson(const Json& json) {
  ObjectReader reader(json, "payload index");
  PayloadIndexConfig index;
  index.field = reader.String("field");
  const std::string kind = reader.String("kind");
  VETTORE_RETURN_IF_ERROR(reader.Finish());
  const absl::StatusOr<PayloadIndexKind> parsed = ParsePayloadIndexKind(kind);
  if (!parsed.ok()) return Damaged("payload index", StdView(parsed.status().message()));
  index.kind = *parsed;
  return index;
}

absl::StatusOr<ChunkingConfig> ChunkingFromJson(const Json& json) {
  ObjectReader reader(json, "documents");
  ChunkingConfig chunking;
  chunking.max_tokens = reader.Uint32("max_tokens");
  chunking.overlap_tokens = reader.Uint32("overlap_tokens");
  VETTORE_RETURN_IF_ERROR(reader.Finish());
  return chunking;
}

}  // namespace

Json ToJson(const CollectionConfig& config) {
  Json vectors = Json::array();
  for (const VectorConfig& vector : config.vectors) vectors.push_back(VectorToJson(vector));
  Json indexes = Json::array();
  for (const PayloadIndexConfig& index : config.payload_indexes) {
    indexes.push_back({{"field", index.field}, {"kind", NameOf(index.kind)}});
  }
  Json documents;
  if (config.documents) {
    documents = {{"max_tokens", config.documents->max_tokens},
                 {"overlap_tokens", config.documents->overlap_tokens}};
  }
  return {{"vectors", std::move(vectors)},
          {"payload_indexes", std::move(indexes)},
          {"documents", std::move(documents)}};
}

absl::StatusOr<CollectionConfig> CollectionConfigFromJson(const Json& json) {
  ObjectReader reader(json, "config");
  const Json& vectors = reader.Array("vectors");
  const Json& indexes = reader.Array("payload_indexes");
  const Json* documents = reader.Optional("documents");
  VETTORE_RETURN_IF_ERROR(reader.Finish());
  CollectionConfig config;
  for (const Json& vector : vectors) {
    VETTORE_ASSIGN_OR_RETURN(VectorConfig parsed, VectorFromJson(vector));
    config.vectors.push_back(std::move(parsed));
  }
  for (const Json& index : indexes) {
    VETTORE_ASSIGN_OR_RETURN(PayloadIndexConfig parsed, PayloadIndexFromJson(index));
    config.payload_indexes.push_back(std::move(parsed));
  }
  if (documents != nullptr) {
    VETTORE_ASSIGN_OR_RETURN(config.documents, ChunkingFromJson(*documents));
  }
  return config;
}

}  // namespace vettore
