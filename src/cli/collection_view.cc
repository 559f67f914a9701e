#include "cli/collection_view.h"

#include <string_view>

#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "base/strings.h"
#include "cli/terminal.h"
#include "google/protobuf/util/json_util.h"
#include "types/quantization.h"

namespace vettore {
namespace {

// The API's enum values without their prefix, in lower case: METRIC_L2 is "l2". Of proto enums the
// set is open.
std::string_view QuantizationName(v1::Quantization quantization) {
  switch (quantization) {
    case v1::QUANTIZATION_NONE:
      return NameOf(Quantization::kNone);
    case v1::QUANTIZATION_SQ8:
      return NameOf(Quantization::kSq8);
    case v1::QUANTIZATION_SQ4:
      return NameOf(Quantization::kSq4);
    case v1::QUANTIZATION_RABITQ:
      return NameOf(Quantization::kRaBitQ);
    default:
      return NameOf(Quantization::kAuto);
  }
}

std::string_view MetricName(v1::Metric metric) {
  switch (metric) {
    case v1::METRIC_L2:
      return "l2";
    case v1::METRIC_INNER_PRODUCT:
      return "inner_product";
    default:
      return "cosine";
  }
}

std::string_view KindName(v1::PayloadIndexKind kind) {
  switch (kind) {
    case v1::PAYLOAD_INDEX_KIND_KEYWORD:
      return "keyword";
    case v1::PAYLOAD_INDEX_KIND_INTEGER:
      return "integer";
    case v1::PAYLOAD_INDEX_KIND_FLOAT:
      return "float";
    case v1::PAYLOAD_INDEX_KIND_BOOL:
      return "bool";
    default:
      return "unknown";
  }
}

std::string VectorText(const v1::VectorConfig& vector) {
  return StrCat(vector.name().empty() ? "" : vector.name() + ": ", vector.dimension(), " ",
                MetricName(vector.metric()),
                vector.has_flat()    ? " flat"
                : vector.has_ivf()   ? " ivf"
                : vector.has_faiss() ? " faiss"
                                     : " hnsw");
}

std::string ModelText(const v1::CollectionConfig& config) {
  std::vector<std::string> models;
  for (const v1::VectorConfig& vector : config.vectors()) {
    if (vector.has_model()) models.push_back(vector.model().name());
  }
  return models.empty() ? "-" : absl::StrJoin(models, ", ");
}

std::string VectorsText(const v1::CollectionConfig& config) {
  std::vector<std::string> vectors;
  for (const v1::VectorConfig& vector : config.vectors()) vectors.push_back(VectorText(vector));
  return vectors.empty() ? "-" : absl::StrJoin(vectors, "; ");
}

void AppendLine(std::string_view label, std::string_view text, std::string& out) {
  constexpr size_t kLabelWidth = 14;
  StrAppend(&out, label, std::string(kLabelWidth - label.size(), ' '), text, "\n");
}

std::string EncodingText(v1::IvfEncoding encoding) {
  switch (encoding) {
    case v1::IVF_ENCODING_FLAT:
      return "flat";
    case v1::IVF_ENCODING_PQ4:
      return "pq4";
    case v1::IVF_ENCODING_PQ8:
      return "pq8";
    case v1::IVF_ENCODING_RABITQ:
      return "rabitq";
    default:
      return "unknown";
  }
}

// What is 0 is chosen by the index.
std::string IvfText(const v1::IvfConfig& ivf) {
  const auto number = [](uint32_t value) { return value == 0 ? "auto" : StrCat(value); };
  std::string text = StrCat("ivf, ", EncodingText(ivf.encoding()), ", nlist ", number(ivf.nlist()),
                            ", nprobe ", number(ivf.nprobe()));
  const bool has_pq =
      ivf.encoding() == v1::IVF_ENCODING_PQ4 || ivf.encoding() == v1::IVF_ENCODING_PQ8;
  if (has_pq) StrAppend(&text, ", pq_m ", number(ivf.pq_m()));
  if (ivf.opq()) StrAppend(&text, ", opq");
  return text;
}

std::string FaissText(const v1::FaissConfig& faiss) {
  std::string text = StrCat("faiss ", faiss.factory());
  if (!faiss.search_parameters().empty()) StrAppend(&text, ", ", faiss.search_parameters());
  return text + (faiss.rerank() == 0 ? ", rerank auto" : StrCat(", rerank ", faiss.rerank()));
}

std::string IndexText(const v1::VectorConfig& vector) {
  if (vector.has_flat()) return "flat";
  if (vector.has_ivf()) return IvfText(vector.ivf());
  if (vector.has_faiss()) return FaissText(vector.faiss());
  const v1::HnswConfig& hnsw = vector.hnsw();
  return StrCat("hnsw, m ", hnsw.m(), ", ef_construction ", hnsw.ef_construction(), ", ef_search ",
                hnsw.ef_search(), ", quantization ", QuantizationName(hnsw.quantization()));
}

// A collection that cannot be served says why; what it holds is not known.
bool IsDamaged(const v1::CollectionInfo& info) { return !info.error().empty(); }

std::string KindText(const v1::CollectionInfo& info) {
  if (IsDamaged(info)) return "damaged";
  return info.config().has_documents() ? "documents" : "points";
}

std::string CannotBeServed(const v1::CollectionInfo& info) {
  return StrCat("'", info.name(), "' cannot be served: ", Printable(info.error(), Lines::kJoin));
}

// What only a collection that is served knows of itself.
void AppendContents(const v1::CollectionInfo& info, std::string& out) {
  AppendLine(info.config().has_documents() ? "passages" : "points", FormatCount(info.points()),
             out);
  AppendLine("created",
             absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixMillis(info.created_unix_ms()),
                              absl::LocalTimeZone()),
             out);
  AppendLine("position", StrCat(info.position().epoch(), ":", info.position().seq()), out);
}

}  // namespace

Json CollectionJson(const v1::CollectionInfo& info) {
  Json json = {{"name", info.name()},
               {"points", info.points()},
               {"position", {{"epoch", info.position().epoch()}, {"seq", info.position().seq()}}},
               {"created_unix_ms", info.created_unix_ms()},
               {"aliases", info.aliases()},
               {"vectors", Json::array()}};
  if (IsDamaged(info)) json["error"] = info.error();
  for (const v1::VectorStatus& status : info.vectors()) {
    json["vectors"].push_back({{"name", status.name()},
                               {"live", status.live()},
                               {"unindexed", status.unindexed()},
                               {"tombstones", status.tombstones()},
                               {"memory_bytes", status.memory_bytes()},
                               {"mapped_bytes", status.mapped_bytes()}});
    if (status.quantization() != v1::QUANTIZATION_UNSPECIFIED) {
      json["vectors"].back()["quantization"] = QuantizationName(status.quantization());
    }
  }
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string config;
  const auto printed = google::protobuf::util::MessageToJsonString(info.config(), &config, options);
  json["config"] = printed.ok() ? Json::parse(config, nullptr, false) : Json();
  return json;
}

std::string CollectionTable(const std::vector<v1::CollectionInfo>& collections) {
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "POINTS", "KIND", "VECTORS", "MODEL", "ALIASES"}};
  for (const v1::CollectionInfo& info : collections) {
    rows.push_back({info.name(), IsDamaged(info) ? "?" : FormatCount(info.points()), KindText(info),
                    VectorsText(info.config()), ModelText(info.config()),
                    info.aliases().empty() ? "-" : absl::StrJoin(info.aliases(), ", ")});
  }
  std::string out = FormatTable(
      rows, {Align::kLeft, Align::kRight, Align::kLeft, Align::kLeft, Align::kLeft, Align::kLeft});
  for (const v1::CollectionInfo& info : collections) {
    if (IsDamaged(info)) StrAppend(&out, CannotBeServed(info), "\n");
  }
  return out;
}

std::string DescribeCollection(const v1::CollectionInfo& info) {
  std::string out;
  AppendLine("collection", info.name(), out);
  if (IsDamaged(info)) {
    AppendLine("damaged", Printable(info.error(), Lines::kJoin), out);
    AppendLine("points", "unknown", out);
  } else {
    AppendContents(info, out);
  }
  if (!info.aliases().empty()) AppendLine("aliases", absl::StrJoin(info.aliases(), ", "), out);
  if (info.config().has_documents()) {
    const v1::ChunkingConfig& chunking = info.config().documents();
    AppendLine("documents",
               StrCat("passages of at most ", chunking.max_tokens(), " tokens, ",
                      chunking.overlap_tokens(), " repeated"),
               out);
  }
  for (const v1::VectorConfig& vector : info.config().vectors()) {
    AppendLine("vector",
               StrCat(vector.name().empty() ? "(default)" : vector.name(), ": ", vector.dimension(),
                      " dimensions, ", MetricName(vector.metric()), ", ", IndexText(vector)),
               out);
    if (vector.has_model()) {
      AppendLine("  model",
                 StrCat(vector.model().name(), ", from field '", vector.model().text_field(), "'"),
                 out);
    }
    for (const v1::VectorStatus& status : info.vectors()) {
      if (status.name() != vector.name() || IsDamaged(info)) continue;
      AppendLine("  state",
                 StrCat(FormatCount(status.live()), " live, ", FormatCount(status.unindexed()),
                        " not yet in the graph, ", FormatCount(status.tombstones()),
                        " to reclaim, ", FormatBytes(status.memory_bytes()), " in memory",
                        status.mapped_bytes() > 0
                            ? StrCat(", ", FormatBytes(status.mapped_bytes()), " mapped")
                            : "",
                        status.quantization() != v1::QUANTIZATION_UNSPECIFIED
                            ? StrCat(", quantization ", QuantizationName(status.quantization()))
                            : ""),
                 out);
    }
  }
  for (const v1::PayloadIndexConfig& index : info.config().payload_indexes()) {
    AppendLine("payload index", StrCat(index.field(), ": ", KindName(index.kind())), out);
  }
  return out;
}

std::string DeletionQuestion(const v1::CollectionInfo& info) {
  if (!IsDamaged(info)) {
    return StrCat("delete '", info.name(), "' with its ", CountOf(info.points(), "point"), "?");
  }
  return StrCat(CannotBeServed(info), "\nhow many points it holds is unknown; delete it?");
}

}  // namespace vettore
